"""Burned in: text that is part of a picture, flagged, and blanked where the user asks for it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from pipeline.errors import CaseError, ConfigError
from pipeline.joints.plan import RunPlan
from pipeline.loaders.burned_in import Detector, TooManyShapesError, find_text, installed_detector
from pipeline.records import Box, Caution, Image

P = TypeVar("P", bound=RunPlan)
BY = {"tesseract": "the contrast heuristic with Tesseract", "contrast": "the contrast heuristic"}

UNSEARCHED = "text_not_looked_for"
"""The reason of a caution or, where text is to be blanked, of an image that is set aside."""


@dataclass(frozen=True, slots=True)
class TextSearch:
    """How text is looked for in a picture, and whether it is blanked."""

    detector: Detector
    mask: bool


def with_detector(plan: P) -> P:
    """The plan with the detector that `auto` stands for on this machine: results depend on it."""
    found, wanted = installed_detector(), plan.config.burned_in_text
    if wanted.look == "tesseract" and found != "tesseract":
        raise ConfigError(
            "burned_in_text.look: tesseract is not installed; install Debian's tesseract-ocr, or use contrast"
        )
    if wanted.look == "none" and wanted.mask:
        raise ConfigError("burned_in_text.mask: nothing can be blanked where burned_in_text.look is none")
    if wanted.look != "auto":
        return plan
    resolved = wanted.model_copy(update={"look": found})
    return replace(plan, config=plan.config.model_copy(update={"burned_in_text": resolved}))


def text_search(plan: RunPlan) -> TextSearch | None:
    """The search that a plan with its detector asks for."""
    wanted = plan.config.burned_in_text
    if wanted.look in {"auto", "none"}:
        return None
    return TextSearch("tesseract" if wanted.look == "tesseract" else "contrast", wanted.mask)


def searched(image: Image, search: TextSearch | None) -> tuple[Image, tuple[Caution, ...]]:
    """The image, without what may be text where it is to be blanked, and what is to be said of it.

    Raises CaseError "text_not_looked_for" where text is to be blanked and could not be looked for: the
    picture may show a name that the user wanted gone.
    """
    if search is None:
        return image, ()
    try:
        found = find_text(image.pixels, search.detector)
    except TooManyShapesError:
        return _not_looked_for(image, search, "too many shapes in it look like letters")
    except (OSError, ValueError, LookupError, subprocess.SubprocessError):
        return _not_looked_for(image, search, f"{BY[search.detector]} failed")
    if not found:
        return image, _by_header(image)
    places = "one place" if len(found) == 1 else f"{len(found)} places"
    done = "blanked before the network and the report saw it" if search.mask else "shown as it is"
    message = f"text may be burned into the picture in {places}, {done} (found by {BY[search.detector]})"
    return (blanked(image, found) if search.mask else image), (Caution("burned_in_text", message),)


def _not_looked_for(image: Image, search: TextSearch, why: str) -> tuple[Image, tuple[Caution, ...]]:
    message = f"text in the picture could not be looked for: {why}"
    if search.mask:
        remedy = (
            "blank it in the file, or set burned_in_text.mask: false where the picture may be shown as it is"
        )
        raise CaseError(UNSEARCHED, f"{message}; {remedy}")
    return image, (Caution(UNSEARCHED, message),)


def blanked(image: Image, boxes: Sequence[Box]) -> Image:
    """The image, black in the boxes."""
    pixels = image.pixels.copy()
    values = None if image.display is None else image.display.values.copy()
    for box in boxes:
        top, left = round(box.y + 0.5), round(box.x + 0.5)
        part = np.s_[top : top + round(box.height), left : left + round(box.width)]
        pixels[part] = 0
        if values is not None:
            values[part] = 0
    display = None if image.display is None or values is None else replace(image.display, values=values)
    return replace(image, pixels=pixels, display=display)


def _by_header(image: Image) -> tuple[Caution, ...]:
    """What the header says of text that nothing found."""
    if image.attributes.get("burned_in_annotation") != "YES":
        return ()
    message = "the header says that text is burned into the picture; none was found, so it is shown as it is"
    return (Caution("burned_in_text_by_header", message),)

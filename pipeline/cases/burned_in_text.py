"""Burned-in text: detect it in an image, and blank it where the config says so."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.contracts import Detector
from pipeline.errors import CaseError
from pipeline.loaders.burned_in import TooManyShapesError, find_text
from pipeline.plan import RunPlan
from pipeline.records import Box, Caution, Image

DETECTOR_TITLES = {"tesseract": "the contrast heuristic with Tesseract", "contrast": "the contrast heuristic"}

UNSEARCHED = "text_not_looked_for"
"""Reason of a caution, or of a skipped image where text was to be blanked."""


@dataclass(frozen=True, slots=True)
class TextSearch:
    """The text detector, and whether the text it finds is blanked."""

    detector: Detector
    mask: bool


def text_search(plan: RunPlan) -> TextSearch | None:
    """The text search of a plan whose detector is resolved; None where the config turns it off."""
    wanted = plan.config.burned_in_text
    if wanted.look in {"auto", "none"}:
        return None
    return TextSearch("tesseract" if wanted.look == "tesseract" else "contrast", wanted.mask)


def search_text(image: Image, search: TextSearch | None) -> tuple[Image, tuple[Caution, ...]]:
    """The image, with possible text blanked if `search.mask` is set, and cautions for the report.

    Raises CaseError "text_not_looked_for" if text was to be blanked and the detector failed: the image may
    show a name that the user wanted to hide.
    """
    if search is None:
        return image, ()
    try:
        found = find_text(image.pixels, search.detector)
    except TooManyShapesError:
        return _not_looked_for(image, search, "too many shapes look like letters")
    except (OSError, ValueError, LookupError, subprocess.SubprocessError):
        return _not_looked_for(image, search, f"{DETECTOR_TITLES[search.detector]} failed")
    if not found:
        return image, _by_header(image)
    places = "one place" if len(found) == 1 else f"{len(found)} places"
    treatment = "blanked for the network and the report" if search.mask else "not blanked"
    by = DETECTOR_TITLES[search.detector]
    message = f"the image may have burned-in text in {places}, {treatment} (found by {by})"
    return (blanked(image, found) if search.mask else image), (Caution("burned_in_text", message),)


def _not_looked_for(image: Image, search: TextSearch, why: str) -> tuple[Image, tuple[Caution, ...]]:
    message = f"the search for burned-in text failed: {why}"
    if search.mask:
        remedy = "blank it in the file, or set burned_in_text.mask: false to show the image unchanged"
        raise CaseError(UNSEARCHED, f"{message}; {remedy}")
    return image, (Caution(UNSEARCHED, message),)


def blanked(image: Image, boxes: Sequence[Box]) -> Image:
    """The image with the boxes set to black."""
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
    """A caution if the header declares burned-in text although none was found."""
    if image.attributes.get("burned_in_annotation") != "YES":
        return ()
    message = "the header declares burned-in text, but none was found, so nothing was blanked"
    return (Caution("burned_in_text_by_header", message),)

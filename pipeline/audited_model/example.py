"""Example: one image with the logits that the card states for it, which the loaded network has to give."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from pipeline.audited_model.brightness import brightness_of
from pipeline.audited_model.example_image import is_model_input, read_input
from pipeline.audited_model.likely_causes import likely_causes
from pipeline.classifiers import Preprocessing
from pipeline.classifiers.classifier import Classifier
from pipeline.errors import CheckError
from pipeline.guards.inside_folder import inside_folder
from pipeline.guards.reading import named
from pipeline.loaders.dataset import read_bytes

TOLERANCE: Final = 1e-3
"""Largest difference of a logit; of logits beyond 1, as a share of the logit."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example that the network met."""

    sha256: str
    """Hash of the image's file."""
    detail: str
    """What was found, in one line."""
    brightness: tuple[float, float] = (0.0, 0.0)
    """5th and 95th percentile of the network's input."""


def check_example(classifier: Classifier, card_path: Path) -> Example | None:
    """The card's example; None without one. `classifier` computes in float32.

    Raises CheckError if the network does not give the stated logits, ConfigError if the image cannot be read.
    """
    card = classifier.card
    if card.example is None:
        return None
    path = inside_folder(card_path, card.example.image, key="example.image", remedy="copy the image there")
    found, stated = logits_of(classifier, path, card.preprocessing), card.example.logits
    wrong = [number for number, pair in enumerate(zip(found, stated, strict=True)) if not close(*pair)]
    if wrong:
        worst = max(wrong, key=lambda number: abs(found[number] - stated[number]))
        causes = likely_causes(
            lambda other, recipe: logits_of(other, path, recipe),
            classifier,
            stated,
            met=_met,
            of_input=is_model_input(path),
        )
        raise CheckError(
            f"example: the logit of '{card.name_of(worst)}' is {found[worst]:.4f}, but the card states "
            f"{stated[worst]:.4f} ({len(wrong)} of {len(stated)} logits differ by more than {TOLERANCE:g}); "
            f"the weights fit, but the network or its input is not the one that gave these logits; {causes}"
        )
    largest = max(abs(one - other) for one, other in zip(found, stated, strict=True))
    part = "the network's input" if is_model_input(path) else "an image, by the card's preprocessing"
    detail = f"{part}: the logits differ by at most {largest:.1e} from those that the card states"
    with named(f"example.image: {path}"):
        sha256 = hashlib.sha256(read_bytes(path)).hexdigest()
    return Example(sha256, detail, brightness_of(read_input(path, card.preprocessing)))


def logits_of(classifier: Classifier, path: Path, preprocessing: Preprocessing) -> tuple[float, ...]:
    """The network's logits for the image in a file."""
    batch = classifier.tensor([read_input(path, preprocessing)], batch_size=1)
    with torch.no_grad():
        (logits,) = classifier.network(batch).double().cpu().tolist()
    return tuple(logits)


def close(found: float, stated: float) -> bool:
    """Whether two logits agree."""
    return abs(found - stated) <= TOLERANCE * max(1.0, abs(stated))


def _met(found: Sequence[float], stated: Sequence[float]) -> bool:
    return all(map(close, found, stated))

"""Card variants: the image and its preprocessing as a wrong model card would have them.

A network that classifies one of them better than what its card says was trained on that one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.classifiers import Preprocessing
from pipeline.classifiers.recipe import INTENSITY_PRESETS, Crop, IntensityScaling, Resize
from pipeline.contracts import Probe, ProbedImage, Variant

COLOURS = 3
"""Channels of a network for which the statistics of ImageNet exist."""


def card_variants(probed: ProbedImage) -> Iterator[Variant]:
    """Mirrored, upside down, inverted, and with each other value of a key of the preprocessing."""
    pixels = probed.image.pixels
    yield Variant("mirrored", pixels[:, ::-1].copy())
    yield Variant("upside_down", pixels[::-1].copy())
    yield Variant("inverted", 1 - pixels)
    for name, preprocessing in _others(probed.preprocessing):
        yield Variant(name, pixels, preprocessing=preprocessing)


def _others(card: Preprocessing) -> Iterator[tuple[str, Preprocessing]]:
    """Name → the card's preprocessing with one thing changed; all give inputs of the same shape."""
    stretched = Resize(rule="exact", size=card.shape, filter=card.resize.filter)
    changes: dict[str, dict[str, object]] = {
        "stretched": {"pad": "none", "resize": stretched, "crop": Crop()},
        "padded": {"pad": "square", "resize": stretched, "crop": Crop()},
        "window_header": {"window": "header"},
        "window_full": {"window": "full"},
    }
    for name, values in INTENSITY_PRESETS.items():
        if name != "imagenet" or card.channels == COLOURS:
            changes[f"intensity_{name}"] = {"intensity": IntensityScaling(**values)}
    for name, change in changes.items():
        changed = card.model_copy(update=change)
        if changed != card:
            yield name, changed


MOST = 3 + 4 + len(INTENSITY_PRESETS)
CARD_VARIANTS = Probe("card", card_variants, "other preprocessing than the card's", most=MOST)

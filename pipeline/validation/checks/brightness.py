"""Brightness: images that are nearly black, and images unlike the others of their study set."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from pipeline.validation.checks.check import Check, Found, percent
from pipeline.validation.checks.readers import TO_SIGMA
from pipeline.validation.facts import Brightness, ImageFacts, StudySet

DARKEST = 1 / 16
"""Share of the range that 12-bit values reach in 16 bits. The darkest image of two real sets reaches 47 %."""
FEWEST = 8
"""Fewest images that show what is usual."""
SPREADS, LEAST_GAP = 5.0, 0.25
"""Least distance of an image's mean from the median, in spreads and in brightness. In two real sets no image
is more than 3.7 spreads away."""
LEAST_RANGE = 1 / 3
"""Least range of brightness as a share of the median range; the least in two real sets is 0.6."""


def _dark(study: StudySet) -> Iterator[Found]:
    for image, bright in _decoded(study):
        if bright.brightest <= DARKEST:
            yield Found(
                f"99 % of the pixels are within the lowest {percent(round(bright.brightest, 3))} of the "
                "brightness range.",
                (image.case_id,),
            )


def _unlike(study: StudySet) -> Iterator[Found]:
    usual = [(image, bright) for image, bright in _decoded(study) if bright.brightest > DARKEST]
    if len(usual) < FEWEST:
        return
    middle = median(bright.middle for _, bright in usual)
    spread = TO_SIGMA * median(abs(bright.middle - middle) for _, bright in usual)
    usual_range = median(_range(bright) for _, bright in usual)
    for image, bright in usual:
        if abs(bright.middle - middle) >= max(LEAST_GAP, SPREADS * spread):
            yield Found(
                f"The mean brightness is {bright.middle:.2f}; the median of {len(usual):,} images is "
                f"{middle:.2f}.",
                (image.case_id,),
            )
        elif _range(bright) < LEAST_RANGE * usual_range:
            yield Found(
                f"The brightness has a range of {_range(bright):.2f}; the median of {len(usual):,} images is "
                f"{usual_range:.2f}.",
                (image.case_id,),
            )


def _decoded(study: StudySet) -> list[tuple[ImageFacts, Brightness]]:
    return [(image, image.brightness) for image in study.images if image.brightness is not None]


def _range(bright: Brightness) -> float:
    return bright.brightest - bright.darkest


DARK = Check(
    title="Dark image",
    level="warning",
    looks_for=f"images in which 99 % of the pixels are within the lowest {percent(DARKEST)} of the "
    "brightness range, as of 12-bit values stored as 16 bits without a window",
    remedy="Correct Bits Stored, or add a window to the header; the network sees nearly nothing.",
    of="images",
    count=lambda study: len(_decoded(study)),
    find=_dark,
    reads="pixels",
)
UNLIKE = Check(
    title="Image whose brightness is unlike the others",
    level="warning",
    looks_for=f"images whose mean brightness is at least {LEAST_GAP:g} and {SPREADS:g} spreads from the "
    f"median of all (at least {FEWEST}; the spread is {TO_SIGMA:g} times the median distance), or whose "
    "brightness has less than a third of the usual range (1st to 99th percentile)",
    remedy="Look at the picture: the image may be inverted, have another window, or be of another kind.",
    of="images",
    count=lambda study: len(_decoded(study)),
    find=_unlike,
    reads="pixels",
)

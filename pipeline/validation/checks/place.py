"""Place: annotations that lie outside the body."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.background import BAND, DARK
from pipeline.validation.checks.check import Check, Found, found_in, measured_references, percent
from pipeline.validation.facts import StudySet

MOST = 0.5
"""Least share on background. None of 496 masks and 31 boxes of two real sets reached a quarter."""


def _outside(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study):
        if entry.background is not None and min(entry.background) >= MOST:
            inside, around = entry.background
            yield found_in(
                image,
                entry,
                f"{percent(inside)} of the {entry.kind} and {percent(around)} of the band around it lie "
                "on background or padding.",
            )


OUTSIDE_BODY = Check(
    title="Annotation outside the body",
    level="warning",
    looks_for=f"masks and boxes with at least {percent(MOST)} of their area, and at least {percent(MOST)} "
    "of the band around them, on background. Background is padding (rows and columns of uniform brightness "
    f"at the image's edge) and pixels within {percent(DARK)} of the darkest brightness that are connected "
    f"to the edge. The band is {percent(BAND)} of the square root of the area wide",
    remedy="Look at the picture: the annotation may be shifted, flipped, or belong to another image. Export "
    "it again.",
    of="masks and boxes",
    count=lambda study: sum(1 for _ in measured_references(study)),
    find=_outside,
    reads="pixels",
)

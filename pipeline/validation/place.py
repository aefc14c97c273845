"""Place: shapes that lie where no body is."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.background import BAND, DARK
from pipeline.validation.check import Check, Found, about, drawn, percent
from pipeline.validation.facts import StudySet

MOST = 0.5
"""Of 496 masks and 31 boxes of two real sets none reached a quarter."""


def _outside(study: StudySet) -> Iterator[Found]:
    for image, entry in drawn(study):
        if entry.background is not None and min(entry.background) >= MOST:
            inside, around = entry.background
            yield about(
                image,
                entry,
                f"{percent(inside)} of the {entry.kind} and {percent(around)} of the band around it lie "
                "on background or padding.",
            )


OUTSIDE_BODY = Check(
    title="Annotation outside the body",
    level="warning",
    looks_for=f"masks and boxes of which at least {percent(MOST)}, and of the band around them at least "
    f"{percent(MOST)}, are background. Background is padding (rows and columns of a single brightness at the "
    f"image's edge) and what is within {percent(DARK)} of the darkest brightness and connected to the edge; "
    f"the band is {percent(BAND)} of the root of the area wide",
    remedy="Look at the picture: the annotation may belong to another image, be shifted or turned over.",
    of="masks and boxes",
    count=lambda study: sum(1 for _ in drawn(study)),
    find=_outside,
)

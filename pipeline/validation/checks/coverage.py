"""Coverage: masks that cover most of their image, and masks whose inside and outside are exchanged."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.validation.checks.check import (
    TENTH,
    Check,
    Found,
    found_in,
    mask_count,
    measured_references,
    percent,
)
from pipeline.validation.facts import MeasuredReference, StudySet

MOST = 0.8
"""Share of the image above which a mask is reported. In a real set the largest lesion covers 51 %."""
INVERTED_AREA, INVERTED_EDGE = 0.5, 0.75
"""Least shares of the image, and of its outermost pixels, in an inverted mask. No mask of a real set has more
than 4 % of the outermost pixels."""


def _inverted(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study, "mask"):
        if is_inverted(entry):
            area, edge = entry.widest
            yield found_in(
                image,
                entry,
                f"A mask covers {percent(area)} of the image and {percent(edge)} of its outermost pixels, as "
                "if its inside and outside were exchanged.",
            )


def _wide(study: StudySet) -> Iterator[Found]:
    for image, entry in measured_references(study, "mask"):
        share = entry.area_px / (image.shape[0] * image.shape[1])
        if share > MOST and not is_inverted(entry):
            yield found_in(image, entry, f"The mask covers {percent(share)} of the image.")


def is_inverted(entry: MeasuredReference) -> bool:
    """Whether inside and outside of a mask look exchanged."""
    area, edge = entry.widest
    return INVERTED_AREA < area < 1 and edge >= INVERTED_EDGE


INVERTED = Check(
    title="Inverted mask",
    level="error",
    looks_for=f"masks that cover more than {percent(INVERTED_AREA)} of the image, but not all of it, and at "
    f"least {percent(INVERTED_EDGE)} of its outermost pixels",
    remedy="Invert the mask: 0 is outside the finding.",
    of="masks",
    count=mask_count,
    find=_inverted,
    stops_at=TENTH,
)
WIDE = Check(
    title="Mask that covers most of its image",
    level="warning",
    looks_for=f"masks that cover more than {percent(MOST)} of their image and do not look inverted",
    remedy="Check that the mask shows the finding, not the body or the field of view: every map hits such a "
    "mask.",
    of="masks",
    count=mask_count,
    find=_wide,
)

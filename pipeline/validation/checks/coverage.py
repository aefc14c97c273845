"""Coverage: annotations that are much too large, and masks whose inside and outside are exchanged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.records import scored_as
from pipeline.validation.checks.check import (
    TENTH,
    Check,
    Found,
    found_in,
    mask_count,
    measured_references,
    percent,
)
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet

MOST = 0.8
"""Share of the image above which a mask is reported. In a real set the largest lesion covers 51 %."""
INVERTED_AREA, INVERTED_EDGE = 0.5, 0.75
"""Least shares of the image, and of its outermost pixels, in an inverted mask. No mask of a real set has more
than 4 % of the outermost pixels."""

FENCE = 3.0
"""Interquartile ranges of the logarithm of areas beyond which an area is far out (Tukey 1977)."""
TIMES = 10.0
"""Times the median area that an annotation far out has at least: lesions of one set may differ by that."""
PEERS = 10
"""Least number of annotations of one finding and kind that are compared."""


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


def _far_larger(study: StudySet) -> Iterator[Found]:
    peers: dict[tuple[str, str], list[tuple[float, ImageFacts, MeasuredReference]]] = {}
    for image, entry in measured_references(study):
        share = entry.area_px / (image.shape[0] * image.shape[1])
        peers.setdefault((entry.finding, scored_as(entry.kind)), []).append((share, image, entry))
    for members in peers.values():
        shares = np.array([share for share, _, _ in members])
        first, median, third = np.quantile(shares, (0.25, 0.5, 0.75))
        most = max(third * (third / first) ** FENCE, TIMES * median)
        for share, image, entry in members if len(members) >= PEERS else ():
            if share > most and not is_inverted(entry):
                yield found_in(
                    image,
                    entry,
                    f"The {entry.kind} covers {percent(share)} of the image, {share / median:.0f} times the "
                    f"median of {len(members):,} of this finding.",
                )


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
FAR_LARGER = Check(
    title="Annotation far larger than its peers",
    level="warning",
    looks_for=f"masks and boxes that cover a share of their image which is more than {TIMES:g} times the "
    f"median of the finding, and more than {FENCE:g} interquartile ranges above its upper quartile "
    f"(logarithms of at least {PEERS} annotations)",
    remedy="Check that it shows this finding, in the unit and the image size of the others.",
    of="masks and boxes",
    count=lambda study: sum(1 for _ in measured_references(study)),
    find=_far_larger,
)

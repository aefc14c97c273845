"""Panoptic quality: how many lesions were found, times how well (Kirillov et al. 2019, eq. 1)."""

from pipeline.contracts import Metric, Scored
from pipeline.metrics.bootstrap import Values
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.metrics.matching import matched
from pipeline.metrics.overlap import intersection_over_union, lesion_areas

MATCHED_FROM = 0.5
"""IoU, as in panoptica; above it nothing that does not overlap itself could match twice."""


def panoptic_quality(overlaps: Values) -> float:
    """The matched pairs' IoU, summed, over their number and half of what is left over on either side.

    `overlaps` is the IoU of each region (first axis) with each lesion (second axis); not both are none.
    """
    regions, lesions = overlaps.shape
    found = matched(overlaps, [0.0] * regions, threshold=MATCHED_FROM, assignment="optimal")
    pairs = [overlaps[region, lesion - 1] for region, lesion in enumerate(found) if lesion]
    return float(sum(pairs) / ((regions + lesions) / 2))


def _panoptic_quality(scored: Scored) -> tuple[float]:
    return (panoptic_quality(intersection_over_union(lesion_areas(scored))),)


PANOPTIC_QUALITY = Metric(
    name="panoptic_quality",
    title="Panoptic quality",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_panoptic_quality,
)
"""Of one image, with the regions and instances as they are."""

"""Panoptic quality: recognition quality times segmentation quality (Kirillov et al. 2019, eq. 1)."""

import numpy as np

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.metrics.matching import match_contours
from pipeline.metrics.overlap import intersection_over_union, lesion_areas
from pipeline.records import Values

MATCH_THRESHOLD = float(np.nextafter(0.5, 1))
"""Lowest IoU of a match: the next number above 0.5, from where on matches of disjoint masks are unique.

The paper asks for more than 0.5 (section 4.1); panoptica 2.1 also matches at 0.5.
"""


def panoptic_quality(overlaps: Values) -> float:
    """The sum of the matched pairs' IoU, divided by TP + FP / 2 + FN / 2.

    `overlaps` is the IoU of each region (first axis) with each lesion (second axis); at least one must exist.
    """
    regions, lesions = overlaps.shape
    found = match_contours(overlaps, [0.0] * regions, threshold=MATCH_THRESHOLD, assignment="optimal")
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
"""Per image; regions and instances with an IoU above 0.5 are matched one to one."""

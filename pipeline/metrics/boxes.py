"""Boxes: bounding boxes of regions compared with reference boxes; never averaged with mask scores."""

from collections.abc import Callable

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box


def box_intersection(one: Box, other: Box) -> float:
    """Area of the intersection of two boxes."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


def box_intersection_over_union(one: Box, other: Box) -> float:
    """Intersection over union of two boxes; 0 if neither has an area."""
    shared = box_intersection(one, other)
    joined = one.width * one.height + other.width * other.height - shared
    return shared / joined if joined > 0 else 0.0


def intersection_over_detected_box(detected: Box, truth: Box) -> float:
    """The share of the detected box that lies in the reference box (IoBB of ChestX-ray8, Wang et al. 2017).

    A small box inside a large one scores 1, so report it together with box IoU. `detected` must have an area.
    """
    return box_intersection(detected, truth) / (detected.width * detected.height)


def _best(share: Callable[[Box, Box], float]) -> Callable[[Scored], tuple[float, ...]]:
    """A score per reference box, with its best region; one region may serve several boxes."""
    return lambda scored: tuple(
        max(share(region.box, box) for region in scored.drawing.regions) for box in scored.reference.boxes
    )


BOX_IOU = Metric(
    name="box_iou",
    title="Box IoU",
    against=frozenset({"box"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_best(box_intersection_over_union),
)
"""Per reference box: the highest IoU with a region's bounding box."""

IOBB = Metric(
    name="iobb",
    title="Intersection over the detected box (IoBB)",
    against=frozenset({"box"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_best(intersection_over_detected_box),
)
"""Per reference box: the largest share of a region's bounding box that lies in it."""

"""Boxes: reference boxes against the bounding boxes of the regions; never averaged with scores of masks."""

from collections.abc import Callable

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box


def box_intersection(one: Box, other: Box) -> float:
    """The area that two boxes have in common."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(width, 0.0) * max(height, 0.0)


def box_intersection_over_union(one: Box, other: Box) -> float:
    """The share of two boxes' joined area that they have in common; 0 where neither has an area."""
    shared = box_intersection(one, other)
    joined = one.width * one.height + other.width * other.height - shared
    return shared / joined if joined > 0 else 0.0


def intersection_over_drawn_box(drawn: Box, truth: Box) -> float:
    """The share of the drawn box that lies in the reference's (IoBB of ChestX-ray8, Wang et al. 2017).

    A small box inside a large one is perfect, which is why it never stands alone. `drawn` has an area.
    """
    return box_intersection(drawn, truth) / (drawn.width * drawn.height)


def _best(share: Callable[[Box, Box], float]) -> Callable[[Scored], tuple[float, ...]]:
    """Each reference box against the region whose bounding box fits it best; one region may serve several."""
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
"""Each reference box against the bounding box that overlaps it best."""

IOBB = Metric(
    name="iobb",
    title="Intersection over the drawn box",
    against=frozenset({"box"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_best(intersection_over_drawn_box),
)
"""Each reference box against the bounding box of which it holds the largest share."""

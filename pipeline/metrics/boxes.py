"""Boxes: reference boxes against the bounding boxes of the regions."""

from pipeline.contracts import Drawing, Metric
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box, Reference, Shape


def box_intersection_over_union(one: Box, other: Box) -> float:
    """The share of two boxes' joined area that they have in common; 0 where neither has an area."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    joined = one.width * one.height + other.width * other.height - shared
    return shared / joined if joined > 0 else 0.0


def _box_iou(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float, ...]:
    return tuple(
        max(box_intersection_over_union(region.box, box) for region in drawing.regions)
        for box in reference.boxes
    )


BOX_IOU = Metric(
    name="box_iou",
    title="Box IoU",
    against=frozenset({"box"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_box_iou,
)
"""Each reference box against the bounding box that overlaps it best."""

"""Hit: the pointing game (Zhang et al. 2016), without a tolerance."""

from pipeline.contracts import Drawing, Metric
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box, Reference, Shape


def _hit(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float]:
    if drawing.peak is None:
        return (0.0,)
    row, column = drawing.peak
    return (float(any(mask[row, column] for mask in reference.masks)),)


def _box_hit(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float]:
    if drawing.peak is None:
        return (0.0,)
    row, column = drawing.peak
    return (float(any(_holds(box, x=column, y=row) for box in reference.boxes)),)


def _holds(box: Box, *, x: float, y: float) -> bool:
    """Whether a point is in the box or on its edge."""
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


HIT = Metric(
    name="hit",
    title="Pointing-game hit",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_hit,
)
"""1 where the heatmap's highest pixel lies in any mask, else 0."""

BOX_HIT = Metric(
    name="box_hit",
    title="Pointing-game hit of boxes",
    against=frozenset({"box"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_box_hit,
)
"""1 where the centre of the heatmap's highest pixel lies in any box, edges included, else 0.

A metric of its own: a box holds tissue beside the lesion, so it is easier to hit than the mask within.
"""

"""Hit: the pointing game (Zhang et al. 2018), with and without a tolerance.

Only the heatmap's peak counts; threshold and minimum area have no effect. A closed gate is a miss; with the
gate "all" the metric is the published one.
"""

import math
from collections.abc import Sequence

import numpy as np

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box, Mask


def distance_to_mask(
    point: tuple[int, int], mask: Mask, *, spacing: Sequence[float], within: float
) -> float | None:
    """Distance from a pixel to the nearest mask pixel, in the unit of `spacing`; None if beyond `within`."""
    if mask[point]:
        return 0.0
    radii = [int(within / step) + 1 for step in spacing]
    starts = [max(index - radius, 0) for index, radius in zip(point, radii, strict=True)]
    stops = [index + radius + 1 for index, radius in zip(point, radii, strict=True)]
    window = mask[tuple(slice(*ends) for ends in zip(starts, stops, strict=True))]
    steps = (np.argwhere(window) + starts - point) * np.asarray(spacing)
    nearest = np.sqrt((steps**2).sum(axis=1)).min(initial=np.inf)
    return float(nearest) if nearest <= within else None


def _peak(scored: Scored) -> tuple[int, int]:
    """The drawing's peak; metrics that read it are not called without one."""
    assert scored.drawing.peak is not None
    return scored.drawing.peak


def _hit(scored: Scored) -> tuple[float]:
    return (float(any(mask[_peak(scored)] for mask in scored.reference.masks)),)


def _near_hit(scored: Scored) -> tuple[float]:
    spacing_mm, tolerances = scored.spacing_mm, scored.tolerances
    distance = distance_to_mask(
        _peak(scored),
        scored.truth,
        spacing=spacing_mm or (1, 1),
        within=tolerances.pointing_mm if spacing_mm else tolerances.pointing_px,
    )
    return (float(distance is not None),)


def _box_hit(scored: Scored) -> tuple[float]:
    row, column = _peak(scored)
    return (float(any(holds(box, x=column, y=row) for box in scored.reference.boxes)),)


def _point_hit(scored: Scored) -> tuple[float]:
    row, column = _peak(scored)
    spacing_mm, tolerances = scored.spacing_mm, scored.tolerances
    down, across = spacing_mm or (1, 1)
    within = tolerances.pointing_mm if spacing_mm else tolerances.pointing_px
    distances = (
        math.hypot((point.y - row) * down, (point.x - column) * across) for point in scored.reference.points
    )
    return (float(min(distances) <= within),)


def holds(box: Box, *, x: float, y: float) -> bool:
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
    reads="peak",
    binary=True,
)
"""1 if the heatmap's highest pixel lies in any mask, else 0."""

NEAR_HIT = Metric(
    name="near_hit",
    title="Pointing-game hit within a tolerance",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_near_hit,
    reads="peak",
    binary=True,
)
"""1 if the heatmap's highest pixel lies within the tolerance of a mask, else 0."""

BOX_HIT = Metric(
    name="box_hit",
    title="Pointing-game hit in a box",
    against=frozenset({"box"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_box_hit,
    reads="peak",
    binary=True,
)
"""1 if the centre of the heatmap's highest pixel lies in any box, edges included, else 0.

Kept apart from `hit`: a box includes tissue around the lesion, so it is easier to hit than the mask.
"""

POINT_HIT = Metric(
    name="point_hit",
    title="Pointing-game hit within a tolerance of a point",
    against=frozenset({"point"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_point_hit,
    reads="peak",
    binary=True,
)
"""1 if the heatmap's highest pixel lies within the tolerance of any point of the reader, else 0."""

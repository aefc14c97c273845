"""Hit: the pointing game (Zhang et al. 2018), with and without a tolerance.

It reads the heatmap's peak alone: no threshold moves it and no minimum area. A closed gate is a miss; under
the gate "all" it is the published game.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Box, Mask


def distance_to_mask(
    point: tuple[int, int], mask: Mask, *, spacing: Sequence[float], within: float
) -> float | None:
    """From a pixel to the nearest of the mask, in the unit of `spacing`; None where it is beyond `within`."""
    reach = [int(within / step) + 1 for step in spacing]
    starts = [max(at - far, 0) for at, far in zip(point, reach, strict=True)]
    stops = [at + far + 1 for at, far in zip(point, reach, strict=True)]
    around = mask[tuple(slice(*ends) for ends in zip(starts, stops, strict=True))]
    steps = (np.argwhere(around) + starts - point) * np.asarray(spacing)
    nearest = np.sqrt((steps**2).sum(axis=1)).min(initial=np.inf)
    return float(nearest) if nearest <= within else None


def _peak(scored: Scored) -> tuple[int, int]:
    """Of a drawing that has one: without it nothing of a peak is asked."""
    assert scored.drawing.peak is not None
    return scored.drawing.peak


def _hit(scored: Scored) -> tuple[float]:
    return (float(any(mask[_peak(scored)] for mask in scored.reference.masks)),)


def _near_hit(scored: Scored) -> tuple[float]:
    known, tolerances = scored.spacing_mm, scored.tolerances
    distance = distance_to_mask(
        _peak(scored),
        scored.truth,
        spacing=known or (1, 1),
        within=tolerances.pointing_mm if known else tolerances.pointing_px,
    )
    return (float(distance is not None),)


def _box_hit(scored: Scored) -> tuple[float]:
    row, column = _peak(scored)
    return (float(any(holds(box, x=column, y=row) for box in scored.reference.boxes)),)


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
"""1 where the heatmap's highest pixel lies in any mask, else 0."""

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
"""1 where a mask comes within the tolerance of the heatmap's highest pixel, else 0."""

BOX_HIT = Metric(
    name="box_hit",
    title="Pointing-game hit of boxes",
    against=frozenset({"box"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_box_hit,
    reads="peak",
    binary=True,
)
"""1 where the centre of the heatmap's highest pixel lies in any box, edges included, else 0.

A metric of its own: a box holds tissue beside the lesion, so it is easier to hit than the mask within.
"""

"""Energy: how much of the map's positive relevance lies inside the masks (Wang et al. 2020, Score-CAM)."""

from functools import lru_cache

import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.geometry import along, over_view
from pipeline.metrics.bootstrap import Values
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.surface import window_of
from pipeline.records import Heatmap, Placement


def energy_of(heatmap: Heatmap) -> float:
    """The sum over the image's pixels of the positive relevance, without making that image.

    Interpolation is linear in the cells, one axis at a time: each cell has a weight a row and a column.
    """
    rows, columns = _weights(over_view(heatmap.placement, heatmap.relevance))
    return float(rows @ np.maximum(heatmap.relevance, 0) @ columns)


@lru_cache(maxsize=8)
def _weights(grid: Placement) -> tuple[Values, Values]:
    """How much of the image each row of cells covers, and each column; the same for images of one size."""
    rows, columns = (
        along(np.eye(cells, dtype=np.float32), grid, axis=axis, pixels=np.arange(grid.image_shape[axis])).sum(
            axis=0, dtype=np.float64
        )
        for axis, cells in enumerate(grid.model_shape)
    )
    return rows, columns


def _energy_inside(scored: Scored) -> tuple[float | Undefined]:
    heatmap = scored.drawing.heatmap
    assert heatmap is not None
    total = energy_of(heatmap)
    if total <= 0:
        return (0.0,)
    window = window_of(scored.truth)
    assert scored.relevance is not None
    inside = scored.relevance[window].sum(where=scored.truth[window], dtype=np.float64)
    return (min(float(inside) / total, 1.0),)  # beyond 1 by rounding where all of it is inside


ENERGY_INSIDE = Metric(
    name="energy_inside",
    title="Energy inside the mask",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_energy_inside,
    reads="map",
)
"""The share of the positive relevance, summed over pixels; 0 where no relevance is positive."""

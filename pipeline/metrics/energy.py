"""Energy: how much of the map's positive relevance lies inside the masks (Wang et al. 2020, Score-CAM)."""

import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.geometry import along, over_view, place_on
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.surface import window_of
from pipeline.records import Heatmap


def energy_of(heatmap: Heatmap) -> float:
    """The sum over the image's pixels of the positive relevance, without making that image.

    Interpolation is linear in the cells, one axis at a time: each cell has a weight a row and a column.
    """
    grid = over_view(heatmap.placement, heatmap.relevance)
    rows, columns = (
        along(np.eye(cells, dtype=np.float32), grid, axis=axis, pixels=np.arange(grid.image_shape[axis])).sum(
            axis=0, dtype=np.float64
        )
        for axis, cells in enumerate(heatmap.relevance.shape)
    )
    return float(rows @ np.maximum(heatmap.relevance, 0) @ columns)


def _energy_inside(scored: Scored) -> tuple[float | Undefined]:
    heatmap = scored.drawing.heatmap
    assert heatmap is not None
    total = energy_of(heatmap)
    if total <= 0:
        return (0.0,)
    window = window_of(scored.truth)
    pixels = [np.arange(extent.start, extent.stop) for extent in window]
    around = place_on(np.maximum(heatmap.relevance, np.float32(0)), heatmap.placement, *pixels)
    inside = around.sum(where=scored.truth[window], dtype=np.float64)
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

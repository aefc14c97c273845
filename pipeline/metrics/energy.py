"""Energy: share of the map's positive relevance inside the masks (Wang et al. 2020, Score-CAM).

The same number is the relevance mass accuracy of CLEVR-XAI (Arras et al. 2022). Its companion, the relevance
rank accuracy, is in `rank_accuracy.py`.
"""

from functools import lru_cache

import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.geometry import interpolate_axis
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.windows import window_of
from pipeline.records import Heatmap, Placement, Values


def energy_of(heatmap: Heatmap) -> float:
    """The positive relevance summed over the image's pixels, without resampling the map to the image.

    Interpolation is linear and separable, so each cell's weight is a row weight times a column weight.
    """
    rows, columns = _weights(heatmap.placement)
    return float(rows @ np.maximum(heatmap.relevance, 0) @ columns)


@lru_cache(maxsize=8)
def _weights(grid: Placement) -> tuple[Values, Values]:
    """The weight of each row and of each column of cells; cached, as images of one size share them."""
    rows, columns = (
        interpolate_axis(
            np.eye(cells, dtype=np.float32), grid, axis=axis, pixels=np.arange(grid.image_shape[axis])
        ).sum(axis=0, dtype=np.float64)
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
    return (min(float(inside) / total, 1.0),)  # rounding may exceed 1 if all relevance is inside


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
"""The share of the positive relevance inside the masks (relevance mass accuracy); 0 if none is positive."""

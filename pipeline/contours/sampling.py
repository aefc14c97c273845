"""Sampling: which rows and columns of the image suffice, where the whole image would be a waste."""

import numpy as np

from pipeline.contours.flatness import ROUNDING
from pipeline.geometry import HALF_CELL, Pixels, along, over_view, to_image
from pipeline.records import Intensity, Placement


def rows_with_extremes(relevance: Intensity, placement: Placement) -> Pixels:
    """Rows of the image among which lie the maximum and the minimum of the placed map.

    Between neighbouring cell centres the map is linear along a column, so its extremes lie in the pixels next
    to a cell's centre, to the edge of the view, or to the edge of the image.
    """
    grid = over_view(placement, relevance)
    cells, pixels = grid.model_shape[0], grid.image_shape[0]
    knots = np.concatenate([[-HALF_CELL], np.arange(cells), [cells - HALF_CELL]])
    nearest = np.floor(to_image(grid, np.stack([knots, knots], axis=1))[:, 0]).astype(np.intp)
    beside = nearest[:, None] + np.arange(-1, 3)  # both neighbours, and one more for rounding
    return np.unique(np.append(beside.clip(0, pixels - 1), [0, pixels - 1]))


def window_reaching(relevance: Intensity, placement: Placement, level: float) -> tuple[Pixels, Pixels] | None:
    """The rows and columns that can reach `level` > 0, with one more on each side; None where none can.

    Interpolation along the other axis never exceeds the largest cell, so one axis at a time is enough.
    """
    grid = over_view(placement, relevance)
    relevance = np.asarray(relevance, np.float32)
    rows = _reaching(relevance, grid, axis=0, level=level)
    columns = _reaching(relevance.T, grid, axis=1, level=level)
    return None if rows is None or columns is None else (rows, columns)


def _reaching(values: Intensity, grid: Placement, *, axis: int, level: float) -> Pixels | None:
    pixels = grid.image_shape[axis]
    bound = along(values, grid, axis=axis, pixels=np.arange(pixels)).max(axis=1)
    (reaching,) = np.nonzero(bound >= level * (1 - ROUNDING))
    if not reaching.size:
        return None
    return np.arange(max(reaching[0] - 1, 0), min(reaching[-1] + 2, pixels))

"""Sampling: the rows and columns of the image that have to be interpolated, to avoid the whole image."""

import numpy as np

from pipeline.contours.flatness import ROUNDING
from pipeline.geometry import Pixels, interpolate_axis, to_image
from pipeline.records import Intensity, Placement


def rows_with_extremes(placement: Placement) -> Pixels:
    """Rows of the image that contain the maximum and the minimum of a map resampled to the image.

    Between neighbouring cell centres the map is linear along a column, so its extremes lie in the pixels next
    to a cell's centre, to the edge of the view, or to the edge of the image.
    """
    cells, pixels = placement.model_shape[0], placement.image_shape[0]
    before, after = placement.overhang[0]
    knots = np.concatenate([[-before], np.arange(cells), [cells - 1 + after]])
    nearest = np.floor(to_image(placement, np.stack([knots, knots], axis=1))[:, 0]).astype(np.intp)
    neighbours = nearest[:, None] + np.arange(
        -1, 3
    )  # both neighbouring pixels, and one more on each side for rounding
    return np.unique(np.append(neighbours.clip(0, pixels - 1), [0, pixels - 1]))


def upper_bounds(relevance: Intensity, placement: Placement) -> tuple[Intensity, Intensity]:
    """What the map resampled to the image does not exceed in each row, and in each column, of the image.

    Each axis is taken alone: interpolating along the other axis never exceeds the largest cell.
    """
    relevance = np.asarray(relevance, np.float32)
    rows, columns = (
        interpolate_axis(values, placement, axis=axis, pixels=np.arange(pixels)).max(axis=1)
        for axis, (values, pixels) in enumerate(
            zip((relevance, relevance.T), placement.image_shape, strict=True)
        )
    )
    return rows, columns


def window_reaching(bounds: tuple[Intensity, Intensity], level: float) -> tuple[Pixels, Pixels] | None:
    """The rows and columns whose `upper_bounds` reach `level` > 0, plus one on each side, or None."""
    rows, columns = (_reaching(bound, level) for bound in bounds)
    return None if rows is None or columns is None else (rows, columns)


def _reaching(bound: Intensity, level: float) -> Pixels | None:
    (reaching,) = np.nonzero(bound >= level * (1 - ROUNDING))
    if not reaching.size:
        return None
    return np.arange(max(reaching[0] - 1, 0), min(reaching[-1] + 2, bound.size))

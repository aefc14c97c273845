"""Sampling: the rows and columns of the image that have to be interpolated, to avoid the whole image."""

import numpy as np

from pipeline.contours.flatness import ROUNDING
from pipeline.geometry import Pixels, interpolate_axis, to_image
from pipeline.records import Intensity, Placement


def pixels_with_extremes(placement: Placement) -> tuple[Pixels, Pixels]:
    """Rows and columns of the image whose crossings hold the maximum and minimum of a map resampled to it.

    Between neighbouring cell centres the map is linear along each axis, so its extremes lie in the pixels
    next to a cell's centre, to the edge of the view, or to the edge of the image.
    """
    rows, columns = (_with_extremes(placement, axis) for axis in (0, 1))
    return rows, columns


def _with_extremes(placement: Placement, axis: int) -> Pixels:
    cells, pixels = placement.model_shape[axis], placement.image_shape[axis]
    before, after = placement.overhang[axis]
    knots = np.concatenate([[-before], np.arange(cells), [cells - 1 + after]])
    nearest = np.floor(to_image(placement, np.stack([knots, knots], axis=1))[:, axis]).astype(np.intp)
    neighbours = nearest[:, None] + np.arange(
        -1, 3
    )  # both neighbouring pixels, and one more on each side for rounding
    wanted = np.zeros(pixels, np.bool_)
    wanted[neighbours.clip(0, pixels - 1)] = True
    wanted[[0, -1]] = True
    return np.flatnonzero(wanted)


def upper_bounds(relevance: Intensity, placement: Placement) -> tuple[Intensity, Intensity]:
    """What the map resampled to the image does not exceed in each row, and in each column, of the image.

    Each axis is taken alone, with the largest cell of each of its lines: interpolating along the other axis
    never exceeds it, but for rounding, for which a share of the largest cell is added.
    """
    relevance = np.asarray(relevance, np.float32)
    slack = np.float32(ROUNDING) * np.abs(relevance).max()
    rows, columns = (
        interpolate_axis(highest[:, None], placement, axis=axis, pixels=np.arange(pixels))[:, 0] + slack
        for axis, (highest, pixels) in enumerate(
            zip((relevance.max(axis=1), relevance.max(axis=0)), placement.image_shape, strict=True)
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

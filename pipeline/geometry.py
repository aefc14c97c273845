"""Geometry: exact mapping between the model's grid and the image's grid.

A placement starts as the identity; every preprocessing step (resize, crop, pad, flip) updates it. Resampling
aligns grids at their edges (half-pixel convention, `align_corners=False`): cell i of n cells over a length of
m pixels is centred at (i + ½)·m/n - ½. Cells of a network's layer lie where their receptive fields do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, Cells, Intensity, Mask, Placement, Shape

Pixels: TypeAlias = NDArray[np.intp]
"""Row indices or column indices of the image."""

HALF_CELL = 0.5
"""Distance from a cell's centre to its edge, in cells."""
FEW = 64
"""Values beside each other up to which gathering them is faster than a loop over runs of pixels."""
SLACK_PX = 1.0
"""Pixels by which an annotation may exceed its image, because tools round, count from 1, or count the last
pixel twice."""


def whole(shape: Shape) -> Placement:
    """The identity placement: the model's grid is the image's grid."""
    return Placement(model_shape=shape, image_shape=shape, scale=(1.0, 1.0), offset=(0.0, 0.0))


def resized(placement: Placement, shape: Shape) -> Placement:
    """The placement after resampling the model's grid to `shape`, with edges aligned."""
    ratio = [old / new for old, new in zip(placement.model_shape, shape, strict=True)]
    return replace(
        placement,
        model_shape=shape,
        scale=_pair(s * r for s, r in zip(placement.scale, ratio, strict=True)),
        offset=_pair(
            o + s * (r - 1) / 2 for s, o, r in zip(placement.scale, placement.offset, ratio, strict=True)
        ),
    )


def cropped(placement: Placement, top_left: tuple[int, int], shape: Shape) -> Placement:
    """The placement after cropping the model's grid to `shape` at `top_left`; a negative `top_left` pads."""
    return replace(
        placement,
        model_shape=shape,
        offset=_pair(
            o + s * start for s, o, start in zip(placement.scale, placement.offset, top_left, strict=True)
        ),
    )


def mirrored(placement: Placement) -> Placement:
    """The placement after flipping the model's grid left to right."""
    last = placement.model_shape[1] - 1
    row, column = placement.scale
    return replace(
        placement,
        scale=(row, -column),
        offset=(placement.offset[0], placement.offset[1] + column * last),
    )


def placed(placement: Placement, cells: Sequence[Cells]) -> Placement:
    """The placement of a grid of cells (rows, columns) on the network's input, which `placement` places.

    A cell reaches half-way to its neighbours, and an outer cell as far, but not beyond the input.
    """
    rows, columns = cells
    axes = list(zip(placement.scale, placement.offset, placement.model_shape, cells, strict=True))
    return Placement(
        model_shape=(rows.size, columns.size),
        image_shape=placement.image_shape,
        scale=_pair(scale * axis.step for scale, _, _, axis in axes),
        offset=_pair(offset + scale * axis.start for scale, offset, _, axis in axes),
        overhang=(_overhang(rows, axes[0][2]), _overhang(columns, axes[1][2])),
    )


def edge_to_edge(pixels: int, size: int) -> Cells:
    """`size` cells that cover one axis of an input of `pixels` pixels from edge to edge."""
    step = pixels / size
    return Cells(start=(step - 1) / 2, step=step, size=size)


def _overhang(cells: Cells, pixels: int) -> tuple[float, float]:
    """Reach beyond the centres of the first and of the last cell, in cells."""
    first, last = sorted((edge - cells.start) / cells.step for edge in (-HALF_CELL, pixels - HALF_CELL))
    return min(-first, HALF_CELL), min(last - (cells.size - 1), HALF_CELL)


def to_image(placement: Placement, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (n, 2), (row, column), from the model's grid to the image."""
    return np.asarray(points, np.float64) * placement.scale + placement.offset


def view(placement: Placement) -> Box:
    """The part of the image plane that the grid covers; of the model's grid, what the model saw, padded."""
    before, after = np.array(placement.overhang).T
    corners = to_image(placement, np.stack([-before, np.array(placement.model_shape) - 1 + after]))
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    return Box(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))


def box_pixels(box: Box, shape: Shape) -> tuple[slice, slice]:
    """Rows and columns of the pixels whose centres lie in the box or on its edge; empty if there are none.

    `shape` is the image's (rows, columns).
    """
    rows, columns = shape
    return _pixels_between(box.y, box.y + box.height, rows), _pixels_between(
        box.x, box.x + box.width, columns
    )


def resample_to_image(relevance: Intensity, placement: Placement) -> Intensity:
    """A heatmap (rows, columns) resampled to the image's grid by bilinear interpolation.

    Beyond the centres of the outermost cells the map is constant as far as the grid reaches; farther out it
    is 0. `placement` is that of the heatmap's grid.

    If the grid covers the whole image from edge to edge, the result equals `torch.nn.functional.interpolate`
    with mode="bilinear" and align_corners=False.
    """
    rows, columns = placement.image_shape
    return resample_to_pixels(relevance, placement, np.arange(rows), np.arange(columns))


def resample_to_pixels(
    relevance: Intensity, placement: Placement, rows: Pixels, columns: Pixels
) -> Intensity:
    """`resample_to_image` at the given rows and columns of the image only, (rows, columns).

    A pixel's value is bit-identical whichever other pixels are requested, and between equal cells all pixels
    are exactly equal.
    """
    if relevance.shape != placement.model_shape:
        raise ValueError(f"a map of {relevance.shape} cells was placed as {placement.model_shape} cells")
    across = interpolate_axis(np.asarray(relevance, np.float32).T, placement, axis=1, pixels=columns)
    return interpolate_axis(np.ascontiguousarray(across.T), placement, axis=0, pixels=rows)


def interpolate_axis(values: Intensity, grid: Placement, *, axis: int, pixels: Pixels) -> Intensity:
    """`values` (cells of one axis, others), linearly interpolated at pixels of that axis; 0 out of view."""
    lower, share, unseen = (of_pixels[pixels] for of_pixels in _between_cells(grid, axis))
    step = np.zeros_like(values)
    np.subtract(values[1:], values[:-1], out=step[:-1])
    if values.shape[1] <= FEW:
        placed: Intensity = share * step[lower]
        placed += values[lower]
    else:
        placed = np.empty((len(pixels), *values.shape[1:]), np.float32)
        starts = np.flatnonzero(np.diff(lower, prepend=-1))  # of runs of pixels between the same two cells
        for start, end in pairwise([*starts, len(pixels)]):
            np.multiply(share[start:end], step[lower[start]], out=placed[start:end])
            placed[start:end] += values[lower[start]]
    placed[unseen] = 0
    return placed


@lru_cache(maxsize=32)
def _between_cells(grid: Placement, axis: int) -> tuple[Pixels, Intensity, Mask]:
    """Of each pixel of an axis: the cell before it, its share of the way to the next, and if it is unseen.

    Cached, because all maps of a case are placed in the same way.
    """
    cells = grid.model_shape[axis]
    before, after = grid.overhang[axis]
    position = (np.arange(grid.image_shape[axis]) - grid.offset[axis]) / grid.scale[axis]
    unseen = (position < -before) | (position >= cells - 1 + after)
    position = position.clip(0, cells - 1)
    lower = position.astype(np.intp)
    return lower, (position - lower).astype(np.float32)[:, None], unseen


def _pixels_between(start: float, end: float, size: int) -> slice:
    first = max(int(np.ceil(start)), 0)
    return slice(first, max(min(int(np.floor(end)) + 1, size), 0))


def _pair(values: Iterable[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)

"""Geometry: model grid ↔ image grid, and exactly back.

A placement starts as the identity and is changed by what preprocessing does to the model's side: resize,
crop, pad, flip. Grids are compared edge to edge (half-pixel convention, `align_corners=False`): cell i of n
cells over a length of m pixels is centred at (i + ½)·m/n - ½.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, Intensity, Placement, Shape

Pixels: TypeAlias = NDArray[np.intp]
"""Numbers of rows or of columns of the image."""

HALF_CELL = 0.5
"""From a cell's centre to its edge."""


def whole(shape: Shape) -> Placement:
    """The placement of a model grid that is the image itself."""
    return Placement(model_shape=shape, image_shape=shape, scale=(1.0, 1.0), offset=(0.0, 0.0))


def resized(placement: Placement, shape: Shape) -> Placement:
    """The placement after the model's grid was resampled to `shape`, edges kept on edges."""
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
    """The placement after cutting `shape` out of the model's grid; a negative `top_left` pads."""
    return replace(
        placement,
        model_shape=shape,
        offset=_pair(
            o + s * start for s, o, start in zip(placement.scale, placement.offset, top_left, strict=True)
        ),
    )


def mirrored(placement: Placement) -> Placement:
    """The placement after the model's grid was flipped left to right."""
    last = placement.model_shape[1] - 1
    row, column = placement.scale
    return replace(
        placement,
        scale=(row, -column),
        offset=(placement.offset[0], placement.offset[1] + column * last),
    )


def to_image(placement: Placement, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (n, 2) as (row, column) of the model's grid, in (row, column) of the image."""
    return np.asarray(points, np.float64) * placement.scale + placement.offset


def to_model(placement: Placement, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (n, 2) as (row, column) of the image, on the model's grid: `to_image` undone."""
    return (np.asarray(points, np.float64) - placement.offset) / placement.scale


def view(placement: Placement) -> Box:
    """The part of the image's plane that the model saw, padding included."""
    last = np.array(placement.model_shape) - HALF_CELL
    corners = to_image(placement, np.array([[-HALF_CELL, -HALF_CELL], last]))
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    return Box(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))


def place(relevance: Intensity, placement: Placement) -> Intensity:
    """A heatmap (rows, columns) on the image's grid, by bilinear interpolation.

    Beyond the centres of the outermost cells the map is continued flat to the edge of the model's view; what
    the model did not see is 0. `placement` may be of the model's grid or of any grid over the same view.

    Where the view is the whole image it equals `torch.nn.functional.interpolate` with mode="bilinear" and
    align_corners=False.
    """
    rows, columns = placement.image_shape
    return place_on(relevance, placement, np.arange(rows), np.arange(columns))


def place_on(relevance: Intensity, placement: Placement, rows: Pixels, columns: Pixels) -> Intensity:
    """What `place` says at these rows and columns of the image, (rows, columns).

    The value at a pixel does not depend, to the last bit, on which other pixels are asked for, and equal
    cells give exactly equal pixels between them.
    """
    grid = over_view(placement, relevance)
    across = along(np.asarray(relevance, np.float32).T, grid, axis=1, pixels=columns)
    return along(np.ascontiguousarray(across.T), grid, axis=0, pixels=rows)


def over_view(placement: Placement, relevance: Intensity) -> Placement:
    """The placement of a heatmap's own grid, laid over the view of `placement`."""
    rows, columns = relevance.shape
    return resized(placement, (rows, columns))


def along(values: Intensity, grid: Placement, *, axis: int, pixels: Pixels) -> Intensity:
    """`values` (cells of one axis, others) at pixels of that axis, by linear interpolation; 0 out of view."""
    cells = grid.model_shape[axis]
    position = (pixels - grid.offset[axis]) / grid.scale[axis]
    unseen = (position < -HALF_CELL) | (position >= cells - HALF_CELL)
    position = position.clip(0, cells - 1)
    lower = position.astype(np.intp)
    share = (position - lower).astype(np.float32)[:, None]
    step = np.diff(values, axis=0, append=values[-1:])
    placed = np.empty((len(pixels), *values.shape[1:]), np.float32)
    runs = [*np.flatnonzero(np.diff(lower, prepend=-1)), len(pixels)]  # pixels between the same two cells
    for start, end in pairwise(runs):
        np.multiply(share[start:end], step[lower[start]], out=placed[start:end])
        placed[start:end] += values[lower[start]]
    placed[unseen] = 0
    return placed


def _pair(values: Iterable[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)

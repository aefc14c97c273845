"""Geometry: model grid ↔ image grid, and exactly back.

A placement starts as the identity and is changed by what preprocessing does to the model's side: resize,
crop, pad, flip. Grids are compared edge to edge (half-pixel convention, `align_corners=False`): cell i of n
cells over a length of m pixels is centred at (i + ½)·m/n - ½.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, Intensity, Placement, Shape

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
    last = np.array(placement.model_shape) - 0.5
    corners = to_image(placement, np.array([[-0.5, -0.5], last]))
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    return Box(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))


def place(relevance: Intensity, placement: Placement) -> Intensity:
    """A heatmap (rows, columns) on the image's grid, by bilinear interpolation.

    Beyond the centres of the outermost cells the map is continued flat to the edge of the model's view; what
    the model did not see is 0. `placement` may be of the model's grid or of any grid over the same view.

    Where the view is the whole image it equals `torch.nn.functional.interpolate` with mode="bilinear" and
    align_corners=False.
    """
    grid = resized(placement, _shape(relevance))
    rows = _interpolation(grid, axis=0)
    columns = _interpolation(grid, axis=1)
    return rows @ np.asarray(relevance, np.float32) @ columns.T


def _interpolation(placement: Placement, *, axis: int) -> Intensity:
    """Weights (image cells, model cells) of linear interpolation along one axis; 0 outside the view."""
    cells, pixels = placement.model_shape[axis], placement.image_shape[axis]
    position = (np.arange(pixels) - placement.offset[axis]) / placement.scale[axis]
    inside = (position >= -HALF_CELL) & (position < cells - HALF_CELL)
    position = position.clip(0, cells - 1)
    lower = np.minimum(position.astype(np.intp), max(cells - 2, 0))
    upper = np.minimum(lower + 1, cells - 1)
    share = position - lower
    weights = np.zeros((pixels, cells))
    pixel = np.arange(pixels)
    np.add.at(weights, (pixel, lower), 1 - share)
    np.add.at(weights, (pixel, upper), share)
    return (weights * inside[:, None]).astype(np.float32)


def _shape(array: NDArray[np.generic]) -> Shape:
    rows, columns = array.shape
    return rows, columns


def _pair(values: Iterable[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)

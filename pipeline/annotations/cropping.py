"""Cropping: where a mask that covers only a part of its image lies on it, by the planes of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.orientation import AS_STORED, SAME_PLANE_MM, Turn, height_mm
from pipeline.records import ImagePlane, Mask, Shape

OFF_GRID = 0.1
"""Pixels by which the centres of a cut-out may miss those of its image; half a pixel would be ambiguous."""


class CutOut(NamedTuple):
    """The part of an image that a mask covers."""

    row: int
    """First row on the image."""
    column: int
    image: Shape
    turn: Turn = AS_STORED

    def of(self, stored: Mask) -> Mask:
        """The stored mask on the grid of the image."""
        part = self.turn.of(stored)
        mask = np.zeros(self.image, np.bool_)
        mask[self.row : self.row + part.shape[0], self.column : self.column + part.shape[1]] = part
        return mask


def cut_out(stored: ImagePlane, image: ImagePlane, *, shape: Shape, on: Shape, turn: Turn) -> CutOut | None:
    """Where a stored grid of `shape` lies on an image of the shape `on`.

    None if a position or spacing is unknown, the pixels do not lie upon each other, or some lie outside the
    image. `turn` is that of `orientation.turn_between`.
    """
    if stored.position is None or image.position is None or image.spacing_mm is None:
        return None
    if stored.spacing_mm is None or not height_mm(stored, image) <= SAME_PLANE_MM:
        return None
    rows, columns = shape
    down, along = (
        np.multiply(*pair) for pair in zip((stored.down, stored.along), stored.spacing_mm, strict=True)
    )
    corners = [
        np.array(stored.position) + r * down + c * along for r in (0, rows - 1) for c in (0, columns - 1)
    ]
    order = turn.of(np.arange(4).reshape(2, 2)).ravel()
    (top, left), (bottom, right) = (
        _on_image(corners[order[number]] - image.position, image, image.spacing_mm) for number in (0, 3)
    )
    height, width = turn.shape(shape)
    row, column = round(top), round(left)
    misses = (top - row, left - column, bottom - (row + height - 1), right - (column + width - 1))
    inside = min(row, column) >= 0 and row + height <= on[0] and column + width <= on[1]
    return CutOut(row, column, on, turn) if inside and max(map(abs, misses)) <= OFF_GRID else None


def _on_image(
    shift: np.ndarray[tuple[int], np.dtype[np.float64]], image: ImagePlane, spacing_mm: tuple[float, float]
) -> tuple[float, float]:
    """Row and column of a position, given from the centre of the image's first pixel in mm."""
    return float(shift @ image.down) / spacing_mm[0], float(shift @ image.along) / spacing_mm[1]

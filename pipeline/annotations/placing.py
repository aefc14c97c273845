"""Placing: where a mask on another grid than its image lies on it, by the planes of both.

The grid may cover a part of the image, more than the image, or have pixels of another size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.orientation import SAME_PLANE_MM, Scalar, Turn, height_mm
from pipeline.records import ImagePlane, Shape

OFF_GRID = 0.1
"""Pixels by which the centres of a mask may miss those of its image; half a pixel would be ambiguous."""
LARGER = "Masks cover more than their images; only what lies on the images is read."
MOST_KEPT = 64
"""Values that are kept where they lie between the centres of the image's pixels; more are soft edges."""
NOWHERE = -1
Places = NDArray[np.int64]
"""For each row or column of the image, the one of the mask in which its centre lies, or `NOWHERE`."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a mask lies on an image."""

    rows: Places
    columns: Places
    turn: Turn
    """What makes the stored mask lie as its image."""
    is_exact: bool
    """Whether the pixels of mask and image lie upon each other."""
    is_inside: bool
    """Whether all of the mask lies on the image."""

    def of(self, stored: NDArray[Scalar]) -> NDArray[Scalar]:
        """The stored values (rows, columns) on the grid of the image, 0 elsewhere.

        A value that lies between the centres of the image's pixels keeps the pixel nearest its middle.
        """
        turned = self.turn.of(stored)
        values = turned[np.ix_(self.rows, self.columns)]
        values[self.rows == NOWHERE] = 0
        values[:, self.columns == NOWHERE] = 0
        if self.is_exact:
            return values
        lost = np.setdiff1d(turned[self._covered()], values)
        for value in lost[np.isfinite(lost)] if len(lost) <= MOST_KEPT else ():
            row, column = (places.mean() for places in np.nonzero(turned == value))
            values[_nearest(self.rows, row), _nearest(self.columns, column)] = value
        return values

    def _covered(self) -> tuple[slice, slice]:
        """The part of a turned mask that lies on the image."""
        rows, columns = (places[places != NOWHERE] for places in (self.rows, self.columns))
        return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def placed_by_planes(
    stored: ImagePlane, image: ImagePlane, *, shape: Shape, on: Shape, turn: Turn
) -> Placed | None:
    """Where a stored grid of `shape` lies on an image of the shape `on`.

    None if a position or spacing is unknown, the planes differ, or the grid lies beside the image. `turn` is
    that of `orientation.turn_between`.
    """
    turned, size = turn.plane(stored, shape), turn.shape(shape)
    if turned.position is None or image.position is None or image.spacing_mm is None:
        return None
    if turned.spacing_mm is None or not height_mm(turned, image) <= SAME_PLANE_MM:
        return None
    shift = np.subtract(image.position, turned.position)
    exact, inside, found = True, True, []
    for axis, direction in enumerate((turned.down, turned.along)):
        step = image.spacing_mm[axis] / turned.spacing_mm[axis]
        exactly = float(shift @ direction) / turned.spacing_mm[axis] + np.arange(on[axis]) * step
        places = np.floor(exactly + 0.5).astype(np.int64)
        hit = (places >= 0) & (places < size[axis])
        if not hit.any():
            return None
        exact &= bool(np.abs(exactly - places)[hit].max() <= OFF_GRID) and round(step, 1) == 1
        first, last = float(exactly[0]) - step / 2 + 0.5, float(exactly[-1]) + step / 2 + 0.5
        inside &= first <= OFF_GRID and last >= size[axis] - OFF_GRID
        found.append(np.where(hit, places, NOWHERE))
    return Placed(found[0], found[1], turn, exact, inside)


def _nearest(places: Places, middle: float) -> int:
    """The row or column of the image nearest a place on the mask."""
    distance = np.where(places == NOWHERE, math.inf, np.abs(places - middle))
    return int(distance.argmin())

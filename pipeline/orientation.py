"""Orientation: stored axes of a mask or image → rows from the top and columns from the left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Directions, ImagePlane, Shape, Vector

ALIGNED = 0.98
"""Cosine from which an axis counts as parallel to one of the image: 11 degrees."""
AXIAL = ImagePlane(along=(1.0, 0.0, 0.0), down=(0.0, 1.0, 0.0))
"""The plane of an image that states none: columns towards the patient's left, rows towards the back."""
CORONAL = ImagePlane(along=(1.0, 0.0, 0.0), down=(0.0, 0.0, -1.0))
"""As coronal images are shown: columns towards the patient's left, rows towards the feet."""
SAGITTAL = ImagePlane(along=(0.0, 1.0, 0.0), down=(0.0, 0.0, -1.0))
"""As sagittal images are shown: columns towards the patient's back, rows towards the feet."""

TILTED = 0.2
"""Component of a direction from which on it has a second or third letter: the sine of `ALIGNED`'s angle."""
LETTERS = ("LR", "PA", "HF")
"""Letters of the positive and negative directions of the axes of `Vector`."""

SAME_PLANE_MM = 0.5
"""Planes closer than this are one: half of the thinnest slices, and more than positions are rounded by."""
SAME_PIXEL = 0.5
"""Pixels by which the grids of a mask and of its image may be shifted."""

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Turn:
    """What makes stored values (rows, columns) lie as their image does: first transposed, then reversed."""

    transposed: bool = False
    rows_reversed: bool = False
    columns_reversed: bool = False

    def of(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """The values (rows, columns) as they lie on the image."""
        turned = values.T if self.transposed else values
        turned = turned[::-1] if self.rows_reversed else turned
        return turned[:, ::-1] if self.columns_reversed else turned

    def shape(self, stored: Shape) -> Shape:
        """Rows and columns on the image."""
        return stored[::-1] if self.transposed else stored

    def plane(self, stored: ImagePlane, shape: Shape) -> ImagePlane:
        """The plane of a grid of `shape` (rows, columns) after it was turned."""
        along, down = (stored.down, stored.along) if self.transposed else (stored.along, stored.down)
        spacing = stored.spacing_mm
        if spacing and self.transposed:
            spacing = spacing[1], spacing[0]
        corners = _corners(stored, shape)
        first = self.of(np.arange(4).reshape(2, 2))[0, 0]
        return ImagePlane(
            along=_vector(-np.array(along)) if self.columns_reversed else along,
            down=_vector(-np.array(down)) if self.rows_reversed else down,
            position=None if corners is None else _vector(corners[first]),
            spacing_mm=spacing,
            frame_of_reference=stored.frame_of_reference,
        )


AS_STORED = Turn()


def directions_of(plane: ImagePlane) -> Directions:
    """Where rows and columns of a plane lead in the patient, as letters."""
    return _letters(plane.along), _letters(plane.down)


def opposite(letters: str) -> str:
    """The letters of the opposite direction: "LF" → "RH"."""
    return letters.translate(_OPPOSITES)


_OPPOSITES = str.maketrans("RLAPHF", "LRPAFH")


def turn_between(stored: ImagePlane, image: ImagePlane) -> Turn | None:
    """How a grid has to be turned to lie as its image; None if their axes are not parallel."""
    if _parallel(stored.along, image.along) and _parallel(stored.down, image.down):
        return Turn(False, _dot(stored.down, image.down) < 0, _dot(stored.along, image.along) < 0)
    if _parallel(stored.along, image.down) and _parallel(stored.down, image.along):
        return Turn(True, _dot(stored.along, image.down) < 0, _dot(stored.down, image.along) < 0)
    return None


def distance_px(stored: ImagePlane, image: ImagePlane, *, shape: Shape, turn: Turn) -> float:
    """How far the corners of a stored grid of `shape` lie from those of the image, in the image's pixels.

    NaN if a position or spacing is unknown. `turn` is that of `turn_between`.
    """
    here, there = _corners(stored, shape), _corners(image, turn.shape(shape))
    if here is None or there is None or image.spacing_mm is None:
        return math.nan
    order = turn.of(np.arange(4).reshape(2, 2)).ravel()
    shifts = here[order] - there
    columns = shifts @ np.array(image.along) / image.spacing_mm[1]
    rows = shifts @ np.array(image.down) / image.spacing_mm[0]
    return float(np.abs([rows, columns]).max())


def height_mm(place: ImagePlane, image: ImagePlane) -> float:
    """Distance of a position from the plane of the image; NaN if a position is unknown."""
    if place.position is None or image.position is None:
        return math.nan
    normal = np.cross(image.along, image.down)
    return abs(float(np.dot(normal, np.subtract(place.position, image.position))))


def _letters(direction: Vector) -> str:
    """Letters of the components from `TILTED` on, the largest first."""
    axes = sorted(range(len(LETTERS)), key=lambda axis: -abs(direction[axis]))
    return "".join(LETTERS[axis][direction[axis] < 0] for axis in axes if abs(direction[axis]) >= TILTED)


def _corners(plane: ImagePlane, shape: Shape) -> NDArray[np.float64] | None:
    """Positions in mm of the four corner pixels in reading order."""
    if plane.position is None or plane.spacing_mm is None:
        return None
    row, column = np.indices((2, 2)).reshape(2, 4, 1) * (np.array(shape) - 1).reshape(2, 1, 1)
    down, along = (
        np.array(v) * mm for v, mm in zip((plane.down, plane.along), plane.spacing_mm, strict=True)
    )
    return np.asarray(np.array(plane.position) + row * down + column * along)


def _vector(values: NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _parallel(first: Vector, second: Vector) -> bool:
    return abs(_dot(first, second)) >= ALIGNED


def _dot(first: Vector, second: Vector) -> float:
    return float(np.dot(first, second))

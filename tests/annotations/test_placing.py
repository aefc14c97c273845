"""Tests of masks on another grid than their image, against the nearest centre in mm, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.annotations.placing import placed_by_planes
from pipeline.orientation import Turn, turn_between
from pipeline.records import ImagePlane

IMAGE = ImagePlane((0.6, 0.8, 0), (0, 0, -1), (20.5, -7, 33), (0.5, 0.75), "1.2.3.9")
"""An oblique image whose pixels are not square."""
SHAPE = (9, 12)


def position(plane: ImagePlane, row: float, column: float) -> np.ndarray:
    """Where a pixel's centre lies in the patient."""
    assert plane.position is not None
    assert plane.spacing_mm is not None
    down, along = (
        np.array(v) * mm for v, mm in zip((plane.down, plane.along), plane.spacing_mm, strict=True)
    )
    return np.array(plane.position) + row * down + column * along


def by_distance(
    stored: np.ndarray, plane: ImagePlane, image: ImagePlane, shape: tuple[int, int]
) -> np.ndarray:
    """For each pixel of the image, the value of the stored pixel in which its centre lies, else 0."""
    assert plane.position is not None
    assert plane.spacing_mm is not None
    values = np.zeros(shape, stored.dtype)
    for row, column in np.ndindex(shape):
        shift = position(image, row, column) - np.array(plane.position)
        r = int(np.floor(shift @ np.array(plane.down) / plane.spacing_mm[0] + 0.5))
        c = int(np.floor(shift @ np.array(plane.along) / plane.spacing_mm[1] + 0.5))
        if 0 <= r < stored.shape[0] and 0 <= c < stored.shape[1]:
            values[row, column] = stored[r, c]
    return values


def grid(first: tuple[float, float], spacing: tuple[float, float], turn: str = "") -> ImagePlane:
    """A grid whose first pixel lies at that row and column of the image, mirrored or transposed."""
    x, y, z = position(IMAGE, *first)
    plane = replace(IMAGE, position=(float(x), float(y), float(z)), spacing_mm=spacing)
    if turn == "mirrored":
        return replace(plane, along=(-0.6, -0.8, 0))
    if turn == "transposed":
        return replace(plane, along=IMAGE.down, down=IMAGE.along)
    return plane


@pytest.mark.parametrize(
    ("plane", "shape", "exact", "inside"),
    [
        (grid((2, 5), (0.5, 0.75)), (3, 4), True, True),
        (grid((2, 8), (0.5, 0.75), "mirrored"), (3, 4), True, True),
        (grid((2, 5), (0.75, 0.5), "transposed"), (4, 3), True, True),
        (grid((-2, -3), (0.5, 0.75)), (20, 30), True, False),
        (grid((2, 5), (0.5, 0.75)), (9, 12), True, False),
        (grid((-0.25, -0.25), (0.25, 0.375)), (18, 24), False, True),
        (grid((1, 2), (1.1, 1.3)), (3, 4), False, True),
        (grid((2.4, 5), (0.5, 0.75)), (3, 4), False, True),
        (grid((1.1, 9.3), (0.4, 0.9), "mirrored"), (7, 5), False, True),
    ],
)  # fmt: skip
def test_each_pixel_of_the_image_has_the_value_in_which_its_centre_lies(
    plane: ImagePlane, shape: tuple[int, int], *, exact: bool, inside: bool
) -> None:
    stored = np.random.default_rng(1).integers(1, 3, shape)
    turn = turn_between(plane, IMAGE)
    assert turn is not None
    found = placed_by_planes(plane, IMAGE, shape=shape, on=SHAPE, turn=turn)
    assert found is not None
    assert (found.is_exact, found.is_inside) == (exact, inside)
    np.testing.assert_array_equal(found.of(stored), by_distance(stored, plane, IMAGE, SHAPE))


def test_a_value_between_the_centres_keeps_the_pixel_nearest_its_middle() -> None:
    plane = grid((0, 0), (0.1, 0.15))
    stored = np.zeros((41, 56), np.uint8)
    stored[11:14, 21:23], stored[38, 2] = 1, 2
    found = placed_by_planes(plane, IMAGE, shape=stored.shape, on=SHAPE, turn=Turn())
    assert found is not None
    assert {(int(r), int(c)): int(found.of(stored)[r, c]) for r, c in np.argwhere(found.of(stored))} == {
        (2, 4): 1,
        (8, 0): 2,
    }


@pytest.mark.parametrize(
    "plane",
    [
        replace(IMAGE, position=None),
        replace(IMAGE, spacing_mm=None),
        replace(IMAGE, position=(20.5 + 0.8, -7 - 0.6, 33)),
        grid((20, 0), (0.5, 0.75)),
        grid((0, -20), (0.5, 0.75)),
    ],
    ids=["no position", "no spacing", "another plane", "below", "to the left"],
)
def test_a_grid_that_does_not_lie_on_the_image_has_no_place(plane: ImagePlane) -> None:
    assert placed_by_planes(plane, IMAGE, shape=(3, 4), on=SHAPE, turn=Turn()) is None

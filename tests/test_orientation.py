"""Tests of turning masks to lie as their images do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.orientation import AXIAL, Turn, distance_px, height_mm, turn_between
from pipeline.records import ImagePlane, image_plane

VALUES = np.array([[1, 2, 3], [4, 5, 6]])
SAGITTAL = ImagePlane((0, 1, 0), (0, 0, -1))


@pytest.mark.parametrize(
    ("orientation", "image", "expected"),
    [
        ((1, 0, 0, 0, 1, 0), AXIAL, [[1, 2, 3], [4, 5, 6]]),
        ((1, 0, 0, 0, -1, 0), AXIAL, [[4, 5, 6], [1, 2, 3]]),
        ((-1, 0, 0, 0, 1, 0), AXIAL, [[3, 2, 1], [6, 5, 4]]),
        ((-1, 0, 0, 0, -1, 0), AXIAL, [[6, 5, 4], [3, 2, 1]]),
        ((0, 1, 0, 1, 0, 0), AXIAL, [[1, 4], [2, 5], [3, 6]]),
        ((0, -1, 0, 1, 0, 0), AXIAL, [[3, 6], [2, 5], [1, 4]]),
        ((0, 1, 0, -1, 0, 0), AXIAL, [[4, 1], [5, 2], [6, 3]]),
        ((0, 1, 0, 0, 0, 1), SAGITTAL, [[4, 5, 6], [1, 2, 3]]),
        ((1, 0.1, 0, -0.1, 1, 0), AXIAL, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_values_are_turned(
    orientation: tuple[float, ...], image: ImagePlane, expected: list[list[int]]
) -> None:
    stored = image_plane(orientation)
    assert stored is not None
    turn = turn_between(stored, image)
    assert turn is not None
    assert turn.of(VALUES).tolist() == expected
    assert turn.shape((2, 3)) == np.shape(expected)


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 0, 1), (0.8, 0.6, 0, -0.6, 0.8, 0)])
def test_a_plane_that_is_not_parallel_is_not_turned(orientation: tuple[float, ...]) -> None:
    stored = image_plane(orientation)
    assert stored is not None
    assert turn_between(stored, AXIAL) is None


def test_a_flipped_grid_covers_the_image_if_its_first_pixel_lies_at_the_other_end() -> None:
    """Two rows of 0.5 mm and three columns of 2 mm; rows from the bottom up start 0.5 mm further down."""
    image = image_plane((1, 0, 0, 0, 1, 0), (10, 20, 30), (0.5, 2))
    flipped = image_plane((1, 0, 0, 0, -1, 0), (10, 20.5, 33), (0.5, 2))
    assert image is not None
    assert flipped is not None
    turn = Turn(rows_reversed=True)
    assert distance_px(flipped, image, shape=(2, 3), turn=turn) == 0
    assert distance_px(flipped, image, shape=(2, 3), turn=Turn()) == 1
    assert height_mm(flipped, image) == 3


def test_another_spacing_shows_at_the_far_corner() -> None:
    image = image_plane((1, 0, 0, 0, 1, 0), (0, 0, 0), (1, 1))
    coarse = image_plane((1, 0, 0, 0, 1, 0), (0, 0, 0), (1, 1.5))
    assert image is not None
    assert coarse is not None
    assert distance_px(coarse, image, shape=(2, 3), turn=Turn()) == 1


def test_distances_are_unknown_without_positions() -> None:
    assert math.isnan(distance_px(AXIAL, AXIAL, shape=(2, 3), turn=Turn()))
    assert math.isnan(height_mm(AXIAL, AXIAL))

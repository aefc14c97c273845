"""Tests of the conversion of coordinates, with numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.annotations.shapes import box_of, ellipse_of, outline_of, point_of, polygon_of, turned
from pipeline.errors import CaseError
from pipeline.records import Box, Point


def test_coordinates_from_the_corner_lose_half_a_pixel_and_those_of_centres_none() -> None:
    assert (box_of(1, 2, 3, 4), box_of("1", 2, 3, 4, origin="centre")) == (
        Box(0.5, 1.5, 3, 4),
        Box(1, 2, 3, 4),
    )
    assert (point_of(1, 2), point_of(1, 2, origin="centre")) == (Point(0.5, 1.5), Point(1, 2))
    corners = [[0, 0], [4, 0], [4, 2]]
    assert outline_of(polygon_of(corners).parts[0]).tolist() == [[-0.5, -0.5], [3.5, -0.5], [3.5, 1.5]]
    assert outline_of(polygon_of(corners, origin="centre").parts[0]).tolist() == corners


def test_points_may_be_pairs_or_x_and_y_in_turn_and_repeat_the_first() -> None:
    pairs = polygon_of([[0, 0], [4, 0], [4, 2], [0, 0]])
    assert pairs == polygon_of([0, 0, 4, 0, 4, 2]) == polygon_of(["0", "0", "4", "0", "4", "2"])
    assert outline_of(pairs.parts[0]).dtype == np.float32


def test_only_one_part_without_holes_is_an_outline() -> None:
    part = [0, 0, 4, 0, 4, 2]
    assert polygon_of(part).is_outline
    assert not polygon_of(part, part).is_outline
    assert not polygon_of(part, holes=[part]).is_outline
    assert not polygon_of().is_outline


def test_a_quarter_turn_is_clockwise_where_y_points_down() -> None:
    right, down = np.array([[1.0, 0]]), [[0, 1]]
    np.testing.assert_allclose(turned(right, 90), down, atol=1e-12)


def test_a_turned_ellipse_changes_its_radii_and_keeps_its_area() -> None:
    x, y = outline_of(ellipse_of(10, 20, 4, 2, degrees=90, origin="centre").parts[0]).astype(float).T
    np.testing.assert_allclose(((x - 10) / 2) ** 2 + ((y - 20) / 4) ** 2, 1, atol=1e-5)
    area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert math.isclose(area, math.pi * 4 * 2, rel_tol=1.1e-4)


@pytest.mark.parametrize("value", ["x", None, [1], {}, 10**400])
def test_what_is_not_a_number_is_refused(value: Any) -> None:
    for name, make in (("box", lambda: box_of(value, 1, 1, 1)), ("point", lambda: point_of(1, value))):
        with pytest.raises(CaseError) as refused:
            make()
        assert refused.value.reason == f"bad_{name}"


@pytest.mark.parametrize("points", [[1, 2, 3], [["a", "b"]], [[1, 2], [3]], [[10**400, 1]], {}, "x"])
def test_what_are_not_pairs_of_numbers_is_refused(points: Any) -> None:
    with pytest.raises(CaseError) as refused:
        polygon_of(points)
    assert refused.value.reason == "bad_polygon"

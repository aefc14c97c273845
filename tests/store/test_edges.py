"""Edges: outlines of masks, counted by hand and compared with scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import find_contours

from pipeline.store.edges import mask_outlines
from tests.store.finished import mask


def corners(*rows: str) -> list[set[tuple[float, float]]]:
    return [{(float(x), float(y)) for x, y in outline} for outline in mask_outlines(mask(*rows))]


def test_one_pixel_is_a_diamond_around_its_centre() -> None:
    (outline,) = mask_outlines(mask("....", "..#.", "...."))
    assert {tuple(point) for point in outline.tolist()} == {(2, 0.5), (2.5, 1), (2, 1.5), (1.5, 1)}
    assert len(outline) == 4


def test_a_straight_side_has_no_vertices_but_its_ends() -> None:
    assert corners("####") == [{(0, -0.5), (3, -0.5), (3.5, 0), (3, 0.5), (0, 0.5), (-0.5, 0)}]


def test_pixels_that_touch_by_a_corner_stay_apart() -> None:
    assert len(corners("#.", ".#")) == len(corners(".#", "#.")) == 2


def test_a_hole_has_an_outline_of_its_own() -> None:
    outer, hole = mask_outlines(mask("####", "#..#", "####"))
    assert (len(outer), len(hole)) == (8, 6)


def test_nothing_has_no_outline() -> None:
    assert mask_outlines(mask("...")) == []


def area(outline: np.ndarray) -> float:
    x, y = np.asarray(outline, np.float64).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_what_is_inside_lies_on_the_right_hand() -> None:
    outer, hole = mask_outlines(mask("#####", "#...#", "#####"))
    assert area(outer) == 15 - 4 / 8  # y goes down: clockwise is positive
    assert area(hole) == -(3 - 4 / 8)


@pytest.mark.parametrize("seed", range(8))
def test_the_outlines_are_those_of_scikit_image(seed: int) -> None:
    """Random masks, which contain every pattern of four pixels: the same outlines, with the same vertices."""
    random = np.random.default_rng(seed).random((13, 17)) < 0.2 + 0.1 * seed
    wanted = [line[:-1, ::-1] - 1 for line in find_contours(np.pad(random, 1).astype(np.float32), 0.5)]
    found = mask_outlines(random)
    assert sorted(abs(area(line)) for line in found) == pytest.approx(sorted(abs(area(w)) for w in wanted))
    rings = [{(float(x), float(y)) for x, y in line} for line in wanted]
    for outline in found:
        assert any({(float(x), float(y)) for x, y in outline} <= ring for ring in rings)

"""Connected parts and holes of masks that are small enough to count by eye."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.validation.pieces import Piece, holes, parts


def mask(*rows: str) -> NDArray[np.bool_]:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_parts_come_with_area_and_place_the_largest_first() -> None:
    found = parts(mask("#.....", "......", "...###", "...###", "...###"))
    assert found == (Piece(9, 3, 4), Piece(1, 0, 0))


def test_parts_touch_by_their_corners() -> None:
    assert [piece.area_px for piece in parts(mask("##..", "..##"))] == [4]


def test_nothing_has_no_parts_and_no_holes() -> None:
    empty = mask("...", "...")
    assert parts(empty) == ()
    assert holes([empty]) == ()
    assert holes([]) == ()


def test_a_hole_is_what_is_enclosed_also_by_corners_alone() -> None:
    assert holes([mask("####", "#..#", "####")]) == (Piece(2, 1, 2),)
    assert [hole.area_px for hole in holes([mask(".#.", "#.#", ".#.")])] == [1]


def test_a_bay_is_no_hole_nor_is_what_the_edge_of_the_image_closes() -> None:
    assert holes([mask("###", "#..", "###")]) == ()
    assert holes([mask("#.#", "#.#", "###")]) == ()


def test_what_another_mask_fills_is_no_hole() -> None:
    ring, core = mask("###", "#.#", "###"), mask("...", ".#.", "...")
    assert holes([ring, core]) == ()
    assert len(holes([ring])) == 1


def test_a_gap_between_two_masks_is_no_hole() -> None:
    assert holes([mask("##", "#.", "##"), mask("..", "..", "..") | mask(".#", ".#", ".#")]) == ()
    left, right = mask("##..", "#...", "##.."), mask("..##", "...#", "..##")
    assert holes([left, right]) == ()
    assert len(holes([left | right])) == 1


def test_holes_come_the_largest_first() -> None:
    two = mask("#######", "#.#..##", "###..##", "#######")
    assert holes([two]) == (Piece(4, 2, 4), Piece(1, 1, 1))

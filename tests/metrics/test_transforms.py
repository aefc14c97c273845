"""Transforms: where each moves a cell, and how well a map fits before and after."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.metrics.transforms import AS_IT_IS, GRID, TRANSFORMS, fit, highest_cell, ranks, shifted

CORNER = np.zeros((4, 6), np.float32)
CORNER[0, 1] = 1


def test_the_first_transform_changes_nothing_and_all_have_names_of_their_own() -> None:
    assert next(iter(TRANSFORMS)) == AS_IT_IS
    assert np.array_equal(TRANSFORMS[AS_IT_IS](CORNER), CORNER)
    assert len(TRANSFORMS) == 1 + 6 + 3 * 8


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("mirrored", (0, 4)),
        ("upside_down", (3, 1)),
        ("half_turn", (3, 4)),
        ("transposed", (1, 0)),
        ("quarter_turn_left", (4, 0)),
        ("quarter_turn_right", (1, 3)),
    ],
)
def test_flips_and_turns_move_a_cell(name: str, place: tuple[int, int]) -> None:
    assert np.argwhere(TRANSFORMS[name](CORNER)).tolist() == [list(place)]


@pytest.mark.parametrize(
    ("name", "place"),
    [("down_3", (53, 40)), ("up_6", (44, 40)), ("right_10", (50, 50)), ("up_left_10", (40, 30))],
)
def test_shifts_move_a_cell_by_percent_of_a_side(name: str, place: tuple[int, int]) -> None:
    cells = np.zeros(GRID, np.float32)
    cells[50, 40] = 1
    assert np.argwhere(TRANSFORMS[name](cells)).tolist() == [list(place)]


def test_what_is_moved_over_the_edge_does_not_come_back() -> None:
    cells = np.arange(12, dtype=np.float32).reshape(3, 4) + 1
    assert shifted(cells, 1, -2).tolist() == [[0, 0, 0, 0], [3, 4, 0, 0], [7, 8, 0, 0]]


def test_ranks_are_shares_of_cells_below_and_ties_share_theirs() -> None:
    relevance = np.array([[-1.0, 3.0], [3.0, 9.0]], np.float32)
    assert ranks(relevance, np.ones((2, 2), np.float32)).tolist() == [[0.125, 0.5], [0.5, 0.875]]


def test_what_the_network_did_not_see_is_last() -> None:
    relevance = np.array([[0.0, -3.0], [-2.0, -1.0]], np.float32)
    seen = np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)
    assert ranks(relevance, seen).tolist() == [[0.125, 0.375], [0.625, 0.875]]


def test_a_map_fits_its_reference_and_a_mirrored_one_after_the_mirror() -> None:
    relevance = np.arange(100, dtype=np.float32).reshape(10, 10)
    of_cells = ranks(relevance, np.ones_like(relevance))
    occupied = np.zeros((10, 10), np.float32)
    occupied[9, 8:] = (1, 0.5)
    held = fit(of_cells, highest_cell(of_cells), occupied, TRANSFORMS[AS_IT_IS])
    assert held == (pytest.approx((0.985 + 0.5 * 0.995) / 1.5), 1.0)
    mirrored = np.fliplr(occupied)
    assert fit(of_cells, highest_cell(of_cells), mirrored, TRANSFORMS[AS_IT_IS]) == (
        pytest.approx((0.915 + 0.5 * 0.905) / 1.5),
        0.0,
    )
    assert fit(of_cells, highest_cell(of_cells), mirrored, TRANSFORMS["mirrored"]) == held


def test_a_reference_that_leaves_the_image_is_not_compared() -> None:
    of_cells = np.full(GRID, 0.5)
    edge = np.zeros(GRID, np.float32)
    edge[:4, :] = 1
    assert fit(of_cells, highest_cell(of_cells), edge, TRANSFORMS["up_3"]) == (None, None)
    assert fit(of_cells, highest_cell(of_cells), edge, TRANSFORMS["down_3"])[0] == 0.5


def test_of_equally_high_cells_the_one_in_the_middle_is_the_highest() -> None:
    cells = np.zeros((5, 5))
    cells[1:4, 1:4] = 1
    assert highest_cell(cells) == (2, 2)

from itertools import product

import numpy as np
import pytest

from pipeline.geometry import mirrored, resample_to_image, resized, whole
from pipeline.plateau import highest_pixel, middle_of_plateau
from tests.metrics.samples import mask


@pytest.mark.parametrize(
    ("rows", "middle"),
    [
        (["...", ".#.", "..."], (1, 1)),
        (["#####"], (0, 2)),
        (["####"], (0, 1)),  # 1 and 2 are equally near: the first
        (["##", "##"], (0, 0)),
        (["#####", "#....", "#....", "#....", "#...."], (0, 1)),  # the centroid, (1.1, 1.1), is beside it
        (["###", "#.#", "###"], (0, 1)),  # four pixels are equally near to the hole's middle: the first
        (["#..##", "....#"], (0, 4)),  # of two components the larger one
        (["#....", "....#"], (0, 0)),  # of two of the same size the first
        (["..#..", ".#.#.", "....."], (0, 2)),  # corners touch
    ],
)
def test_the_middle_of_a_plateau_by_hand(rows: list[str], middle: tuple[int, int]) -> None:
    assert middle_of_plateau(mask(*rows)) == middle


@pytest.mark.parametrize("seed", range(20))
def test_the_middle_is_on_the_plateau_and_mirrors_where_it_is_the_only_one(seed: int) -> None:
    maximal = np.random.default_rng(seed).random((9, 12)) < 0.3
    row, column = middle_of_plateau(maximal)
    assert maximal[row, column]
    for down, across in product((1, -1), repeat=2):
        one, other = middle_of_plateau(maximal[::down, ::across])
        there = one if down == 1 else 8 - one, other if across == 1 else 11 - other
        assert maximal[there]
        if only_one(maximal):
            assert there == (row, column)


def only_one(maximal: np.ndarray) -> bool:
    """Whether one component is the largest, and one pixel is nearest to its centroid; by flood filling."""
    left, sizes = {(int(r), int(c)) for r, c in np.argwhere(maximal)}, []
    while left:
        component, new = set(), {next(iter(left))}
        while new:
            component |= new
            left -= new
            new = {(r + i, c + j) for (r, c), i, j in product(new, (-1, 0, 1), (-1, 0, 1))} & left
        sizes.append(sorted(component))
    sizes.sort(key=len)
    places = np.array(sizes[-1])
    away = ((places - places.mean(axis=0)) ** 2).sum(axis=1)
    return len(sizes[-1]) > max(map(len, sizes[:-1]), default=0) and np.isclose(away, away.min()).sum() == 1


def test_an_outer_cell_has_its_peak_at_its_centre_by_hand() -> None:
    # Cells of four pixels, centred at 1.5, 5.5, 9.5; the first is the highest, and so are the pixels 0 and 1.
    placement = resized(whole((1, 12)), (1, 3))
    values = resample_to_image(np.array([[4, 0, 0]], np.float32), placement)
    assert highest_pixel(values, placement, corner=(0, 0)) == (0, 1)
    assert highest_pixel(values[:, ::-1], mirrored(placement), corner=(0, 0)) == (0, 10)


def test_equal_cells_are_a_plateau_between_their_centres_by_hand() -> None:
    placement = resized(whole((1, 12)), (1, 3))
    values = resample_to_image(np.array([[4, 4, 0]], np.float32), placement)
    # Equal from 0 to 5; between the centres lie 2 to 5, whose centroid is 3.5.
    assert highest_pixel(values, placement, corner=(0, 0)) == (0, 3)


def test_only_pixels_within_count_and_the_corner_is_added() -> None:
    values = np.array([[9, 1, 7], [1, 7, 1]], np.float32)
    within = np.array([[False, True, True], [True, False, True]])
    assert highest_pixel(values, whole((40, 40)), corner=(10, 20), within=within) == (10, 22)

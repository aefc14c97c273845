"""Baselines: maps made without the network."""

import numpy as np
import pytest

from pipeline.baselines.center_prior import center_prior
from pipeline.baselines.grid import GRID, occupancy
from pipeline.baselines.local_contrast import local_contrast
from pipeline.baselines.location_prior import location_prior
from pipeline.baselines.uniform_random import COARSE, uniform_random
from pipeline.records import Box, Reference


def reference(**geometry: object) -> Reference:
    return Reference("case", "nodule", "reader", "mask", **geometry)  # type: ignore[arg-type]


def test_the_centre_prior_is_highest_in_the_middle_and_symmetric() -> None:
    prior = center_prior()
    assert np.unravel_index(prior.argmax(), prior.shape) == (GRID[0] // 2 - 1, GRID[1] // 2 - 1)
    assert np.array_equal(prior, prior[::-1])
    assert np.array_equal(prior, prior.T)
    # One standard deviation, a quarter of the side, from the middle: exp(-1/2).
    assert np.interp(0.75 * GRID[0] - 0.5, np.arange(GRID[0]), prior[:, 112]) == pytest.approx(
        np.exp(-0.5), abs=1e-3
    )


def test_the_location_prior_is_the_mean_of_what_masks_cover() -> None:
    left, all_of_it = np.zeros((2, 4), bool), np.ones((6, 6), bool)
    left[:, :2] = True
    covered = [occupancy(reference(masks=(left,)), (2, 4)), occupancy(reference(masks=(all_of_it,)), (6, 6))]
    prior = location_prior([share for share in covered if share is not None])
    assert prior is not None
    assert prior[100, 20] == pytest.approx(1.0)
    assert prior[100, 200] == pytest.approx(0.5)


def test_a_box_covers_the_pixels_whose_centres_it_holds() -> None:
    covered = occupancy(reference(boxes=(Box(-0.5, -0.5, 2, 4),)), (4, 4))
    assert covered is not None
    assert covered[:, :100].min() > 0.5 > covered[:, 130:].max()


def test_a_reference_that_shows_nothing_is_no_part_of_a_prior() -> None:
    assert occupancy(reference(), (4, 4)) is None
    assert location_prior([]) is None


def test_random_numbers_are_the_same_for_the_same_image_and_finding_alone() -> None:
    drawn = uniform_random("hash", 0, "nodule")
    assert np.array_equal(uniform_random("hash", 0, "nodule"), drawn)
    others = [("other", 0, "nodule"), ("hash", 1, "nodule"), ("hash", 0, "effusion"), ("hash", "0", "nodule")]
    assert not any(np.array_equal(uniform_random(*other), drawn) for other in others)


def test_random_numbers_are_those_of_the_hash() -> None:
    """The first four bytes of SHAKE-256 of "('a',)" are b2 92 b5 f9: little-endian, its upper 24 bits."""
    assert uniform_random("a")[0, 0] == np.float32(0xF9B592 / 2**24)


def test_random_numbers_are_uniform_and_independent_from_cell_to_cell() -> None:
    drawn = np.stack([uniform_random("hash", number) for number in range(400)])
    assert drawn.dtype == np.float32
    assert drawn.shape[1:] == COARSE
    assert 0 <= drawn.min() < 0.001
    assert 0.999 < drawn.max() <= 1
    # 400 numbers per cell: mean 1/2 with standard error 0.29 / 20; correlations with standard error 1 / 20.
    assert drawn.mean(axis=0) == pytest.approx(np.full(COARSE, 0.5), abs=0.07)
    assert drawn.std() == pytest.approx(12**-0.5, abs=0.005)
    correlations = np.corrcoef(drawn.reshape(400, -1).T)[np.triu_indices(49, 1)]
    assert np.abs(correlations).max() < 0.25


def test_local_contrast_is_the_standard_deviation_in_a_window_of_15_cells() -> None:
    random = np.random.default_rng(0).random(GRID, np.float32)
    contrast = local_contrast(random)
    assert contrast.shape == GRID
    assert contrast[100, 60] == pytest.approx(random[93:108, 53:68].std(), rel=1e-5)
    # At the corner the window covers the reflection of the first 7 rows and columns.
    mirrored = np.pad(random, 7, mode="symmetric")
    assert contrast[0, 0] == pytest.approx(mirrored[:15, :15].std(), rel=1e-5)


def test_the_window_of_local_contrast_is_square_on_the_image() -> None:
    """Image of 448 × 224 pixels: the window is 14 × 14 pixels, which is 7 cells high and 15 cells wide."""
    stripes = np.zeros((448, 224), np.float32)
    stripes[224:226] = 1  # row 112 of the cells, and a little of the neighbouring rows
    rows = np.flatnonzero(local_contrast(stripes)[:, 100])
    assert (rows.min(), rows.max()) == (111 - 3, 113 + 3)
    stripes = np.zeros((448, 224), np.float32)
    stripes[:, 112] = 1
    columns = np.flatnonzero(local_contrast(stripes)[100])
    assert (columns.min(), columns.max()) == (112 - 7, 112 + 7)
    assert local_contrast(stripes.T) == pytest.approx(local_contrast(stripes).T)


def test_local_contrast_of_a_mirrored_image_is_mirrored_and_of_a_grey_one_nothing() -> None:
    random = np.random.default_rng(1).random((300, 500), np.float32)
    assert local_contrast(random[:, ::-1]) == pytest.approx(local_contrast(random)[:, ::-1], abs=1e-6)
    assert not any(local_contrast(np.full((300, 224), grey, np.float32)).any() for grey in (0.1, 0.7, 1))
    assert local_contrast(np.pad([[1 / 65535]], 20).astype(np.float32)).max() > 0  # one grey level of 16 bits

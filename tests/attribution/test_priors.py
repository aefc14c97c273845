"""Maps that know neither image nor network."""

import numpy as np
import pytest

from pipeline.attribution.priors import GRID, center_prior, location_prior, occupancy
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

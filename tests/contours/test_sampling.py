import numpy as np
import pytest

from pipeline.contours.sampling import pixels_with_extremes, upper_bounds, window_reaching
from pipeline.geometry import cropped, mirrored, placed, resample_to_pixels, resized, whole
from pipeline.records import Cells, Intensity, Placement

PLACEMENTS = {
    "whole image": resized(whole((40, 31)), (6, 5)),
    "centre crop": resized(cropped(whole((40, 31)), (4, 3), (30, 20)), (6, 5)),
    "padded": resized(cropped(whole((40, 31)), (-5, -8), (50, 50)), (6, 5)),
    "mirrored": mirrored(resized(cropped(whole((40, 31)), (4, 3), (30, 20)), (6, 5))),
    "one pixel a cell": whole((6, 5)),
    "more cells than pixels": resized(whole((3, 2)), (6, 5)),
    "receptive fields": placed(whole((40, 31)), (Cells(-1.2, 6.5, 6), Cells(3, 5, 5))),
    "mirrored receptive fields": mirrored(placed(whole((40, 31)), (Cells(2, 6.5, 6), Cells(3, 5, 5)))),
}


@pytest.fixture(params=range(5))
def relevance(request: pytest.FixtureRequest) -> Intensity:
    return np.random.default_rng(request.param).random((6, 5), dtype=np.float32)


@pytest.fixture(params=PLACEMENTS)
def placement(request: pytest.FixtureRequest) -> Placement:
    return PLACEMENTS[request.param]


def everywhere(relevance: Intensity, placement: Placement) -> Intensity:
    rows, columns = placement.image_shape
    return resample_to_pixels(relevance, placement, np.arange(rows), np.arange(columns))


def test_a_pixel_does_not_depend_on_the_others_asked_for(relevance: Intensity, placement: Placement) -> None:
    rows, columns = np.array([1, 2]), np.array([0, 1])
    part = resample_to_pixels(relevance, placement, rows, columns)
    np.testing.assert_array_equal(part, everywhere(relevance, placement)[np.ix_(rows, columns)])


def test_equal_cells_give_exactly_equal_pixels() -> None:
    placed = everywhere(np.full((6, 5), 0.7, np.float32), PLACEMENTS["whole image"])
    assert (placed == np.float32(0.7)).all()


def test_the_chosen_pixels_hold_both_extremes(relevance: Intensity, placement: Placement) -> None:
    placed = everywhere(relevance, placement)
    chosen = placed[np.ix_(*pixels_with_extremes(placement))]
    assert (chosen.max(), chosen.min()) == (placed.max(), placed.min())


@pytest.mark.parametrize("level", [0.3, 0.6, 0.95])
def test_outside_the_window_nothing_reaches_the_level(
    relevance: Intensity, placement: Placement, level: float
) -> None:
    placed = everywhere(relevance, placement)
    window = window_reaching(upper_bounds(relevance, placement), level)
    if window is not None:
        placed[np.ix_(*window)] = 0
    assert (placed < level).all()


def test_a_level_above_every_cell_has_no_window(relevance: Intensity, placement: Placement) -> None:
    assert window_reaching(upper_bounds(relevance, placement), 1.01) is None


def test_rounding_leaves_no_pixel_outside_the_window_of_a_level_far_below_the_largest_cell() -> None:
    relevance = np.full((2, 2), 1e-8, np.float32)
    relevance[0, 0] = 1
    placement = resized(whole((4_000_001, 2)), (2, 2))
    window = window_reaching(upper_bounds(relevance, placement), 1e-8)
    assert window is not None
    assert (window[0][[0, -1]] == [0, 4_000_000]).all()


def test_the_window_of_one_hot_cell_is_small() -> None:
    relevance = np.zeros((10, 10), np.float32)
    relevance[5, 5] = 1
    window = window_reaching(upper_bounds(relevance, resized(whole((1000, 1000)), (10, 10))), 0.5)
    assert window is not None
    # The cell's centre is at 549.5; half its value is reached within half a cell: pixels 500 … 599, plus one.
    assert [(axis[0], axis[-1]) for axis in window] == [(499, 600), (499, 600)]

import numpy as np
import pytest
from scipy.ndimage import center_of_mass

from pipeline.metrics.centroid import centroid, centroid_distance
from tests.metrics.samples import drawing, mask, masks, values

TWO = mask(
    "##....",
    "......",
    "......",
    "......",
)
FOUR = mask(
    "......",
    "......",
    "...##.",
    "...##.",
)


def test_the_centroid_is_the_mean_position_of_the_pixels() -> None:
    assert centroid(TWO).tolist() == [0, 0.5]
    assert centroid(FOUR).tolist() == [2.5, 3.5]


@pytest.mark.parametrize("shape", [(20, 30), (6, 7, 8)])
def test_it_equals_scipy(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0).random(shape) < 0.3
    assert centroid(random) == pytest.approx(center_of_mass(random))


def test_two_and_a_half_rows_and_three_columns_apart() -> None:
    # Rows are 2 mm apart, columns 4: 5 mm and 12 mm are 13 mm.
    assert values("centroid_distance", drawing(TWO), masks(FOUR), spacing_mm=(2, 4)) == (pytest.approx(13),)
    assert centroid_distance(TWO, FOUR, spacing=(2, 4)) == centroid_distance(FOUR, TWO, spacing=(2, 4))


def test_without_spacing_there_are_no_millimetres() -> None:
    assert values("centroid_distance", drawing(TWO), masks(FOUR)) == ("spacing_unknown",)

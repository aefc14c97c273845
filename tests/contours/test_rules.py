"""Threshold rules on maps of 5 × 5 pixels, worked by hand."""

import numpy as np
import pytest

from pipeline.contours import RULES
from pipeline.contours.flatness import is_flat
from pipeline.errors import ConfigError

STEPS = np.arange(25, dtype=np.float32).reshape(5, 5)
"""0 in the top left pixel, 24 in the bottom right."""
TWO_CLASSES = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 9, 9, 1, 1],
        [1, 9, 9, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
    ],
    np.float32,
)


def test_six_tenths_of_a_maximum_of_24_is_14_point_4() -> None:
    assert RULES["fraction"].level(STEPS, 0.6) == pytest.approx(14.4)


@pytest.mark.parametrize("share", [-0.1, 1.1, 60])
def test_a_fraction_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="takes a share of the maximum: set 0 … 1"):
        RULES["fraction"].level(STEPS, share)


def test_the_absolute_level_is_the_number_itself() -> None:
    assert RULES["absolute"].level(STEPS, 7.5) == 7.5


def test_the_75th_percentile_of_0_to_24_is_18() -> None:
    assert RULES["percentile"].level(STEPS, 75) == 18


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percentile_outside_0_to_100_is_refused(percent: float) -> None:
    with pytest.raises(ConfigError, match="takes a percentile: set 0 … 100"):
        RULES["percentile"].level(STEPS, percent)


def test_otsu_separates_four_pixels_of_9_from_twenty_one_of_1() -> None:
    level = RULES["otsu"].level(TWO_CLASSES, 0.6)
    assert level is not None
    assert 1 < level <= 9


def test_otsu_takes_no_number() -> None:
    assert RULES["otsu"].level(TWO_CLASSES, 0.1) == RULES["otsu"].level(TWO_CLASSES, 0.9)


def test_a_constant_with_the_rounding_of_float32_is_flat() -> None:
    noise = np.full((5, 5), 3, np.float32)
    noise[2, 2] = np.nextafter(np.float32(3), np.float32(4))
    assert is_flat(noise)


def test_a_map_that_rises_by_a_thousandth_is_not_flat() -> None:
    noise = np.full((5, 5), 3, np.float32)
    noise[2, 2] = 3.003
    assert not is_flat(noise)

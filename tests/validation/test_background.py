"""The background of an image, and the shares of a shape that lie on it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.validation.background import background, shares


def patient(rows: int = 60, columns: int = 80) -> NDArray[np.float32]:
    """Grey noise without any uniform row or column."""
    return (0.3 + 0.4 * np.random.default_rng(5).random((rows, columns))).astype(np.float32)


def region(
    top: int, bottom: int, left: int, right: int, shape: tuple[int, int] = (60, 80)
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def is_background(pixels: NDArray[np.float32], expected: NDArray[np.bool_]) -> bool:
    """Whether the background is as expected, apart from a few dark pixels of tissue at the edge."""
    found = background(pixels)
    return bool(found[expected].all() and found[~expected].mean() < 0.01)


def test_a_body_that_fills_the_image_has_no_background() -> None:
    assert background(patient()).mean() < 0.01


@pytest.mark.parametrize("brightness", [0.0, 0.5, 1.0])
def test_padding_of_any_brightness_is_background(brightness: float) -> None:
    pixels = patient()
    pixels[:, :12] = pixels[:, 70:] = pixels[:5] = brightness
    assert is_background(pixels, ~region(5, 60, 12, 70))


def test_padding_within_padding_is_background() -> None:
    pixels = patient()
    pixels[:, :10] = 0.0
    pixels[:4] = 1.0
    pixels[50:, :] = 0.5
    assert is_background(pixels, ~region(4, 50, 10, 80))
    pixels[:, :10] = 0.0  # now no row at the top is uniform before these columns are removed
    assert is_background(pixels, ~region(4, 50, 10, 80))


def test_traces_of_compression_do_not_hide_padding() -> None:
    pixels = patient()
    pixels[:, :12] = 1 - 0.008 * np.random.default_rng(1).random((60, 12), np.float32)
    assert is_background(pixels, ~region(0, 60, 12, 80))
    assert is_background(np.ascontiguousarray(pixels.T), ~region(0, 60, 12, 80).T)


def test_an_even_row_within_the_body_is_no_padding() -> None:
    pixels = patient()
    pixels[30] = 0.5
    assert background(pixels).mean() < 0.01


def test_air_that_reaches_the_edge_is_background_and_dark_lungs_are_not() -> None:
    pixels = patient()
    pixels[:20, :30] = 0.004 * np.random.default_rng(2).random((20, 30), np.float32)
    pixels[30:50, 40:60] = 0.0
    assert is_background(pixels, region(0, 20, 0, 30))


def test_air_as_dark_as_two_hundredths_of_the_range_is_background_and_brighter_is_not() -> None:
    pixels = patient()
    pixels[0, 0], pixels[50:, 70:] = 0.0, 1.0
    top = float(np.percentile(pixels, 99.5))
    for share, expected in ((0.019, True), (0.021, False)):
        pixels[20:30, :20] = share * top
        assert background(pixels)[25, 5] == expected


def test_a_diagonal_touch_does_not_connect() -> None:
    pixels = patient()
    pixels[:10, :10] = 0.0
    pixels[10:20, 10:20] = 0.0
    assert is_background(pixels, region(0, 10, 0, 10))


def test_an_image_of_one_brightness_has_no_background() -> None:
    assert not background(np.zeros((6, 5), np.float32)).any()


def test_large_images_are_examined_on_a_coarser_grid() -> None:
    pixels = patient(1200, 900)
    pixels[:, :300] = 0.0
    pixels[0, 0] = 1.0  # so that no row or column is uniform
    found = background(pixels)
    assert found[:, :290].mean() > 0.99
    assert found[:, 310:].mean() < 0.01


def test_shares_of_a_shape_and_of_the_band_around_it() -> None:
    """A 10 × 10 square, half of it outside the body; the band is 2 px wide: 0.15 of 10."""
    outside_body = region(0, 60, 0, 20)
    inside, around = shares(region(20, 30, 15, 25), outside_body)
    assert inside == 0.5
    assert around == 0.5
    assert shares(region(20, 30, 5, 15), outside_body) == (1.0, 1.0)
    assert shares(region(20, 30, 40, 50), outside_body) == (0.0, 0.0)


def test_the_band_is_as_wide_as_fifteen_hundredths_of_the_root_of_the_area() -> None:
    shape = region(10, 50, 20, 60)  # 40 × 40: six pixels
    near, far = region(10, 50, 60, 66), region(10, 50, 67, 80)
    assert shares(shape, near)[1] > 0.2
    assert shares(shape, far)[1] == 0


def test_a_cyst_that_opens_into_the_dark_is_dark_inside_alone() -> None:
    pixels = patient()
    pixels[20:40, 30:80] = 0.0
    inside, around = shares(region(20, 40, 30, 60), background(pixels))
    assert inside == 1.0
    assert around < 0.3


def test_a_shape_without_a_band_counts_as_in_the_body() -> None:
    everything = np.ones((6, 5), np.bool_)
    assert shares(everything, everything) == (1.0, 0.0)

"""Contrast across outlines, computed by hand, for masks as drawn, flipped and rotated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.validation.contrast import AS_DRAWN, TURNS, contrasts

LR, UD, HALF, TRANSPOSED = TURNS


def square(top: int, left: int, side: int, shape: tuple[int, int] = (60, 80)) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def lesion(mask: NDArray[np.bool_], inside: float = 0.8, noise: float = 0.0) -> NDArray[np.float32]:
    """Brightness 0.4 outside the mask and `inside` within, with noise everywhere."""
    random = np.random.default_rng(3).normal(0, noise, mask.shape) if noise else 0
    return (np.where(mask, inside, 0.4) + random).astype(np.float32)


def test_the_contrast_of_a_step_is_its_height_over_the_least_spread() -> None:
    """Flat on both sides: 0.4 / sqrt(0 + 0.0001) = 40, whichever side is brighter."""
    mask = square(10, 10, 20)
    assert contrasts(lesion(mask), mask)[AS_DRAWN] == pytest.approx(40, rel=1e-4)
    assert contrasts(lesion(mask, inside=0.0), mask)[AS_DRAWN] == pytest.approx(40, rel=1e-4)


def test_the_contrast_is_in_standard_deviations() -> None:
    """0.4 above noise of 0.1 on both sides: 0.4 / sqrt(0.01 + 0.0001) = 3.98."""
    mask = square(10, 10, 40, (120, 120))
    assert contrasts(lesion(mask, noise=0.1), mask)[AS_DRAWN] == pytest.approx(3.98, rel=0.05)


def test_the_spread_is_the_mean_of_both_sides() -> None:
    """Noise of 0.2 inside only: 0.4 / sqrt((0.04 + 0) / 2 + 0.0001) = 2.82."""
    mask = square(10, 10, 40, (120, 120))
    pixels = lesion(mask)
    pixels[mask] += np.random.default_rng(1).normal(0, 0.2, int(mask.sum())).astype(np.float32)
    assert contrasts(pixels, mask)[AS_DRAWN] == pytest.approx(2.82, rel=0.06)


def test_only_the_bands_along_the_outline_count() -> None:
    """Bands of 2 px on either side of a 20 × 20 square count; pixels farther from the outline do not."""
    mask = square(10, 10, 20)
    pixels = lesion(mask)
    pixels[14:26, 14:26] = 0.0
    pixels[:, 40:] = 1.0
    assert contrasts(pixels, mask)[AS_DRAWN] == pytest.approx(40, rel=1e-4)
    pixels[11, 11:20] = 0.0
    assert contrasts(pixels, mask)[AS_DRAWN] < 40


@pytest.mark.parametrize(
    ("name", "turn"), [(LR, np.fliplr), (UD, np.flipud), (HALF, lambda mask: np.rot90(mask, 2))]
)
def test_the_turn_that_undoes_a_flip_has_the_contrast_of_the_mask_as_it_was(name: str, turn: object) -> None:
    mask = square(5, 8, 15)
    found = contrasts(lesion(mask), turn(mask))  # type: ignore[operator]
    assert found[AS_DRAWN] == pytest.approx(0, abs=1e-3)
    assert {other for other, value in found.items() if value > 1} == {name}
    assert found[name] == pytest.approx(40, rel=1e-4)


def test_a_transposed_mask_is_seen_in_square_images_alone() -> None:
    mask = square(5, 30, 15, (60, 60))
    found = contrasts(lesion(mask), mask.T)
    assert {other for other, value in found.items() if value > 1} == {TRANSPOSED}
    assert TRANSPOSED not in contrasts(lesion(square(5, 8, 15)), square(5, 8, 15))


def test_a_turn_that_hardly_moves_the_mask_is_left_out() -> None:
    middle = square(5, 30, 20)  # columns 30 … 49 of 80: equal to its left-right mirror image
    assert set(contrasts(lesion(middle), middle)) == {AS_DRAWN, UD, HALF}
    third = square(5, 24, 20)  # shares 8 of 32 columns with its mirror image: IoU 0.25
    assert LR in contrasts(lesion(third), third)


def test_a_large_mask_is_examined_on_a_coarser_grid_and_a_small_one_as_it_is() -> None:
    large = square(100, 100, 480, (1200, 1600))
    assert contrasts(lesion(large, noise=0.2), large)[AS_DRAWN] > 10  # noise is averaged
    small = square(10, 10, 20)
    assert contrasts(lesion(small, noise=0.2), small)[AS_DRAWN] < 3


def test_a_mask_of_few_pixels_says_nothing() -> None:
    assert contrasts(lesion(square(5, 5, 2)), square(5, 5, 2)) == {}


def test_the_edge_of_the_image_is_no_outline() -> None:
    mask = square(0, 0, 20)
    pixels = lesion(mask)
    pixels[0, :16] = 0.0  # at the image's edge, within the mask, away from its outline
    assert contrasts(pixels, mask)[AS_DRAWN] == pytest.approx(40, rel=1e-4)

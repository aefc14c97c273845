import cv2
import numpy as np
import pytest

from pipeline.metrics.boundary import boundary_intersection_over_union, rim
from pipeline.records import Mask
from tests.metrics.samples import drawing, mask, masks, values

SIX = mask(
    "........",
    ".######.",
    ".######.",
    ".######.",
    ".######.",
    ".######.",
    ".######.",
    "........",
)
MOVED = np.roll(SIX, 1, axis=1)


def test_a_rim_one_pixel_wide_is_the_square_without_its_middle() -> None:
    assert rim(SIX, width_px=1).sum() == 36 - 16
    assert rim(SIX, width_px=2).sum() == 36 - 4
    assert rim(SIX, width_px=3).sum() == 36


def test_beyond_the_image_is_outside() -> None:
    assert rim(np.ones((5, 5), np.bool_), width_px=1).sum() == 16


def test_two_squares_a_column_apart_share_10_of_30_rim_pixels() -> None:
    # Each rim has 20 pixels; in common are the tops and bottoms of columns 2 … 6: 10; the sides are apart.
    assert boundary_intersection_over_union(SIX, MOVED, width_px=1) == pytest.approx(10 / 30)


def test_the_width_is_2_percent_of_the_diagonal() -> None:
    # 60 × 80 pixels have a diagonal of 100: a rim of 2 pixels. In a square of 30 all but 26 × 26 are rim.
    large = np.zeros((60, 80), np.bool_)
    large[10:40, 10:40] = True
    inner = large.copy()
    inner[12:38, 12:38] = False
    # The reference lacks its right half: of its 30 · 15 - 26 · 11 rim pixels 2 · 26 are not large's.
    half = large.copy()
    half[:, 25:] = False
    shared = 30 * 15 - 26 * 11 - 2 * 26
    joined = (900 - 26 * 26) + 2 * 26
    assert values("boundary_iou", drawing(large), masks(half)) == (pytest.approx(shared / joined),)


def test_a_tiny_image_has_a_rim_of_a_pixel() -> None:
    assert values("boundary_iou", drawing(SIX), masks(MOVED)) == (pytest.approx(10 / 30),)


def as_published(one: Mask, other: Mask, width: int) -> float:
    """Erosion, `width` times, by a 3 × 3 square, with a border of background, as Cheng et al. do it."""

    def rim_of(mask: Mask) -> Mask:
        padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
        return np.asarray(mask & (eroded == 0))

    rims = rim_of(one), rim_of(other)
    return float((rims[0] & rims[1]).sum() / (rims[0] | rims[1]).sum())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("width", [1, 3])
def test_it_equals_repeated_erosion(seed: int, width: int) -> None:
    noise = np.random.default_rng(seed).random((2, 40, 50))
    one, other = (cv2.GaussianBlur(layer, (9, 9), 3) > 0.5 for layer in noise)
    expected = as_published(one, other, width)
    assert boundary_intersection_over_union(one, other, width_px=width) == pytest.approx(expected)

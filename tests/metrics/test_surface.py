import numpy as np
import pytest
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice

from pipeline.metrics.surface import (
    hausdorff_95,
    normalised_surface_distance,
    outline_points,
    surface_distances,
)
from pipeline.metrics.windows import window_of
from pipeline.records import Mask
from tests.metrics.samples import MILLIMETRE, drawing, mask, masks, values

SQUARE = mask(
    "......",
    ".####.",
    ".####.",
    ".####.",
    ".####.",
    "......",
)
DOT = mask(
    "......",
    "......",
    "..#...",
    "......",
    "......",
    "......",
)
AT_THE_EDGE = mask(
    "###...",
    "###...",
    "###...",
    "......",
    "......",
    "......",
)


def test_an_outline_is_the_pixels_with_a_neighbour_outside_across_an_edge() -> None:
    points = {tuple(point) for point in outline_points(SQUARE, spacing=(1, 1)).tolist()}
    whole = {(float(row), float(column)) for row in range(1, 5) for column in range(1, 5)}
    assert points == whole - {(2, 2), (2, 3), (3, 2), (3, 3)}


def test_beyond_the_image_is_outside() -> None:
    points = {tuple(point) for point in outline_points(AT_THE_EDGE, spacing=(1, 1)).tolist()}
    assert points == {(float(r), float(c)) for r in range(3) for c in range(3)} - {(1, 1)}


def test_points_are_in_millimetres() -> None:
    assert outline_points(DOT, spacing=(0.5, 3)).tolist() == [[1.0, 6.0]]


def test_the_window_holds_the_mask_and_no_more() -> None:
    assert window_of(SQUARE) == (slice(1, 5), slice(1, 5))
    assert window_of(DOT) == (slice(2, 3), slice(2, 3))


def test_distances_from_a_dot_to_a_square_around_it() -> None:
    # The dot is one row below the square's top. Its outline's 12 pixels are 1, √2, 2, √5 or √8 from the dot.
    (there, of_dot), (back, of_square) = surface_distances(DOT, SQUARE, spacing=(1, 1))
    assert there.tolist() == [1]
    assert (of_dot.tolist(), of_square.tolist()) == ([1], [1] * 12)
    assert sorted(back**2) == pytest.approx([1, 1, 2, 2, 2, 4, 4, 5, 5, 5, 5, 8])


@pytest.mark.parametrize(("tolerance", "near"), [(0.9, 0), (1, 3), (1.5, 6), (2, 8), (2.3, 12), (3, 13)])
def test_of_13_outline_pixels_those_within_the_tolerance_count(tolerance: float, near: int) -> None:
    assert normalised_surface_distance(DOT, SQUARE, tolerance=tolerance, spacing=(1, 1)) == near / 13


def test_the_95th_percentile_lies_between_the_two_largest_of_twelve() -> None:
    # Position 0.95 · 11 = 10.45 among the sorted: √5 + 0.45 · (√8 - √5). The way back has only 1.
    expected = 5**0.5 + 0.45 * (8**0.5 - 5**0.5)
    assert values("hd95", drawing(DOT), masks(SQUARE), spacing_mm=MILLIMETRE) == (pytest.approx(expected),)
    assert hausdorff_95(SQUARE, DOT, spacing=(1, 1)) == pytest.approx(expected)
    assert hausdorff_95(SQUARE, DOT, spacing=(2, 2)) == pytest.approx(2 * expected)


def test_the_tolerance_is_5_mm_or_10_px() -> None:
    near, far = np.zeros((2, 30), np.bool_), np.zeros((2, 30), np.bool_)
    near[0, 0], far[0, [8, 12]] = True, True
    # 8 and 12 pixels away: of three pixels two have their nearest 8 away and one 12.
    assert values("surface_distance", drawing(near), masks(far)) == (pytest.approx(2 / 3),)
    assert values("surface_distance", drawing(near), masks(far), spacing_mm=(9, 0.7)) == (0.0,)
    assert values("surface_distance", drawing(near), masks(far), spacing_mm=(9, 0.6)) == (
        pytest.approx(2 / 3),
    )
    assert values("surface_distance", drawing(near), masks(far), spacing_mm=(9, 0.4)) == (1.0,)


def test_without_spacing_there_is_no_hausdorff_distance_in_mm() -> None:
    assert values("hd95", drawing(DOT), masks(SQUARE)) == ("spacing_unknown",)


def blobs(seed: int, shape: tuple[int, ...]) -> tuple[Mask, Mask]:
    """Two random masks, which overlap and touch the image's border."""
    noise = np.random.default_rng(seed).random((2, *shape))
    for axis in range(1, noise.ndim):
        noise = (noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)) / 3
    return noise[0] > 0.52, noise[1] > 0.52


@pytest.mark.filterwarnings("ignore:monai.metrics.utils:FutureWarning")  # MONAI calls itself in an old way
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("shape", "spacing"), [((24, 31), (0.7, 1.3)), ((9, 10, 11), (2.0, 0.5, 1.0))])
def test_it_equals_monai_in_2d_and_3d(seed: int, shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    one, other = blobs(seed, shape)
    tensors = [torch.from_numpy(mask)[None, None].float() for mask in (one, other)]
    options = {"include_background": True, "spacing": list(spacing)}
    nsd = compute_surface_dice(*tensors, class_thresholds=[1.1], **options)
    hd95 = compute_hausdorff_distance(*tensors, percentile=95, **options)
    assert normalised_surface_distance(one, other, tolerance=1.1, spacing=spacing) == pytest.approx(
        float(nsd)
    )
    assert hausdorff_95(one, other, spacing=spacing) == pytest.approx(float(hd95), rel=1e-5)

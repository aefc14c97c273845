from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.classifiers import Preprocessing, prepare
from pipeline.errors import CaseError
from pipeline.geometry import to_image
from pipeline.records import Image, ModelInput

RECIPES: dict[str, dict[str, Any]] = {
    "stretched": {"resize": {"rule": "exact", "size": [50, 60]}},
    "classic pneumonia": {
        "channels": 3,
        "resize": {"rule": "shorter_side", "size": 512},
        "crop": {"centre": [480, 480]},
    },
    "squared": {"pad": "square", "resize": {"rule": "exact", "size": 50}},
    "whole within a square": {
        "resize": {"rule": "longer_side", "size": 50},
        "crop": {"centre": [50, 50]},
    },
    "centre of the original": {"resize": {"rule": "none"}, "crop": {"centre": [40, 51]}},
}


def prepared(pixels: NDArray[np.floating], **recipe: Any) -> ModelInput:
    image = Image("case", np.asarray(pixels, np.float32), spacing_mm=None)
    return prepare(image, Preprocessing.model_validate({"window": "full", **recipe}))


def unresized(pixels: list[list[float]], **recipe: Any) -> NDArray[np.float32]:
    """The tensor of an image of 2 × 2 pixels that is neither resized nor cropped."""
    return prepared(np.array(pixels), resize={"rule": "none"}, crop={"centre": [2, 2]}, **recipe).tensor


@pytest.mark.parametrize(
    ("recipe", "shape", "first", "centre", "last"),
    [
        # 2 image rows and 1 column per cell: cell 0 is centred half a cell, 1 row, below the edge at -0.5.
        ("stretched", (100, 60), (0.5, 0), (49.5, 29.5), (98.5, 59)),
        # 1000 × 800 → 640 × 512, 1.5625 pixels per cell, less 80 rows and 16 columns on either side.
        ("classic pneumonia", (1000, 800), (125.28, 25.28), (499.5, 399.5), (873.72, 773.72)),
        # 20 rows above and below, then 2 pixels per cell.
        ("squared", (60, 100), (-19.5, 0.5), (29.5, 49.5), (78.5, 98.5)),
        # 100 × 60 → 50 × 30, 2 pixels per cell, 10 cells left and right.
        ("whole within a square", (100, 60), (0.5, -19.5), (49.5, 29.5), (98.5, 78.5)),
        # 60 rows go, 30 above; 9 columns are added, 4 of them on the left.
        ("centre of the original", (100, 42), (30, -4), (49.5, 21), (69, 46)),
    ],
)
def test_cells_of_the_model_lie_on_the_image(
    recipe: str,
    shape: tuple[int, int],
    first: tuple[float, float],
    centre: tuple[float, float],
    last: tuple[float, float],
) -> None:
    placement = prepared(np.zeros(shape), **RECIPES[recipe]).placement
    ends = np.array(placement.model_shape) - 1
    points = to_image(placement, np.array([[0, 0], ends / 2, ends]))
    np.testing.assert_allclose(points, [first, centre, last], atol=0.01)


@pytest.mark.parametrize("resampling", ["bilinear", "bicubic"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_dot_in_the_image_appears_where_the_placement_says(name: str, resampling: str) -> None:
    recipe = {**RECIPES[name], "resize": {**RECIPES[name]["resize"], "filter": resampling}}
    rows, columns = np.mgrid[:97, :83]
    dot = np.exp(-((rows - 41.3) ** 2 + (columns - 48.6) ** 2) / (2 * 3.0**2))
    model_input = prepared(dot, **recipe)
    channel = model_input.tensor[-1].astype(np.float64)
    centre = [(grid * channel).sum() / channel.sum() for grid in np.indices(channel.shape)]
    np.testing.assert_allclose(to_image(model_input.placement, np.array([centre])), [[41.3, 48.6]], atol=0.1)


def test_the_nearest_neighbour_is_the_pixel_at_the_centre_of_the_cell() -> None:
    image = np.arange(36).reshape(6, 6) / 36
    shrunk = prepared(image, resize={"rule": "exact", "size": 2, "filter": "nearest"})
    np.testing.assert_array_equal(to_image(shrunk.placement, np.array([[0, 0], [1, 1]])), [[1, 1], [4, 4]])
    np.testing.assert_allclose(shrunk.tensor[0], image[1::3, 1::3], atol=1e-7)


def test_odd_differences_are_cropped_and_padded_as_in_torchvision() -> None:
    """center_crop starts at round(difference / 2), to even, and adds the smaller half first."""
    starts = [
        -prepared(np.zeros((old, 9)), resize={"rule": "none"}, crop={"centre": [new, 9]}).placement.offset[0]
        for old, new in ((9, 8), (9, 6), (8, 9), (6, 9))
    ]
    assert starts == [0, -2, 0, 1]


@pytest.mark.parametrize(
    ("rule", "shape"), [("shorter_side", (5, 7)), ("longer_side", (4, 5))], ids=["down", "nearest"]
)
def test_the_other_side_is_rounded_as_the_rule_says(rule: str, shape: tuple[int, int]) -> None:
    """64 × 99 is 5 × 7.73 with a shorter side of 5, and 3.23 × 5 with a longer one; 76 × 99 is 3.84 × 5."""
    image = np.zeros((64, 99) if rule == "shorter_side" else (76, 99))
    placement = prepared(image, resize={"rule": rule, "size": 5}, crop={"centre": list(shape)}).placement
    assert placement.scale == pytest.approx((image.shape[0] / shape[0], image.shape[1] / shape[1]))


def test_shrinking_is_antialiased() -> None:
    """Cells of 2 pixels: the tent reaches 2 pixels far, ¾, ¾, ¼ of 7/4 from the left edge on."""
    rows = np.tile([0.7, 0, 0, 0], (4, 1))
    shrunk = prepared(rows, resize={"rule": "exact", "size": 2}).tensor[0]
    np.testing.assert_allclose(shrunk, [[0.3, 0], [0.3, 0]], atol=1e-6)


def test_bilinear_equals_torch_with_antialiasing() -> None:
    image = np.random.default_rng(0).random((37, 53), np.float32)
    resized = prepared(image, resize={"rule": "exact", "size": [16, 60]}).tensor
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(image)[None, None], (16, 60), mode="bilinear", antialias=True, align_corners=False
    )
    np.testing.assert_allclose(resized, expected[0].numpy(), atol=1e-6)


def test_padding_is_black_and_outside_the_image() -> None:
    squared = prepared(np.ones((2, 4)), pad="square", resize={"rule": "exact", "size": 4}).tensor[0]
    np.testing.assert_array_equal(squared, [[0] * 4, [1] * 4, [1] * 4, [0] * 4])


def test_grey_is_copied_to_three_channels() -> None:
    tensor = unresized([[0, 0.25], [0.5, 1]], channels=3)
    assert tensor.shape == (3, 2, 2)
    assert (tensor == tensor[0]).all()


@pytest.mark.parametrize(
    ("intensity", "values"),
    [
        ("none", [0, 0.5, 1, 0.5]),
        ("torchxrayvision", [-1024, 0, 1024, 0]),
        ({"rule": "range", "low": 10, "high": 30}, [10, 20, 30, 20]),
        ({"rule": "mean_std", "mean": [0.75], "std": [0.25]}, [-3, -1, 1, -1]),
        ("z_score", [-1.41421, 0, 1.41421, 0]),  # standard deviation √⅛
        ("min_max", [0, 0.5, 1, 0.5]),
    ],
)
def test_an_intensity_rule_by_hand(intensity: object, values: list[float]) -> None:
    tensor = unresized([[0, 0.5], [1, 0.5]], intensity=intensity)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor.ravel(), values, atol=1e-5)


def test_imagenet_has_its_own_numbers_for_each_channel() -> None:
    tensor = unresized([[0.5, 0.5], [0.5, 0.5]], channels=3, intensity="imagenet")
    np.testing.assert_allclose(tensor[:, 0, 0], [0.06550, 0.19643, 0.41778], atol=1e-5)


def test_min_max_stretches_the_range_of_the_image() -> None:
    tensor = unresized([[0.2, 0.3], [0.4, 0.3]], intensity="min_max")
    np.testing.assert_allclose(tensor.ravel(), [0, 0.5, 1, 0.5], atol=1e-6)


@pytest.mark.parametrize("intensity", ["z_score", "min_max"])
def test_a_flat_image_becomes_0(intensity: str) -> None:
    tensor = prepared(
        np.full((37, 53), 0.3), resize={"rule": "exact", "size": 16}, intensity=intensity
    ).tensor
    np.testing.assert_array_equal(tensor, np.zeros((1, 16, 16)))


def test_the_image_itself_is_not_changed() -> None:
    image = Image("case", np.full((2, 2), 0.5, np.float32), spacing_mm=None)
    recipe = {"window": "full", "resize": {"rule": "none"}, "crop": {"centre": [2, 2]}}
    prepare(image, Preprocessing.model_validate(recipe)).tensor[:] = 9
    assert (image.pixels == 0.5).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_nan_or_infinite_are_refused(value: float) -> None:
    with pytest.raises(CaseError, match="NaN or infinite") as refusal:
        prepared(np.array([[0, value]]), resize={"rule": "exact", "size": 2})
    assert refusal.value.reason == "pixels_not_finite"


@pytest.mark.parametrize("recipe", ["squared", "classic pneumonia"])
def test_a_very_elongated_image_is_refused_before_it_fills_the_memory(recipe: str) -> None:
    with pytest.raises(CaseError, match="too elongated") as refusal:
        prepared(np.zeros((1, 20_000)), **RECIPES[recipe])
    assert refusal.value.reason == "too_elongated"

"""Corner check: wrong geometry and wrong maps are found, through real preprocessing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.checks.corner import TOLERANCE, corner_lights_corner
from pipeline.errors import CheckError
from pipeline.geometry import mirrored, resized, whole
from pipeline.records import Image, ModelInput
from tests.checks.models import RECIPES, honest, with_maps, with_placement


@pytest.mark.parametrize("name", RECIPES)
def test_right_preprocessing_is_confirmed_with_the_distance_measured(name: str) -> None:
    sentence = corner_lights_corner(honest(name))
    share = float(sentence.removeprefix("bright patches are found within ").partition("%")[0]) / 100
    assert share <= 0.8 * TOLERANCE


def left_for_right(model_input: ModelInput, _image: Image) -> ModelInput:
    return replace(model_input, placement=mirrored(model_input.placement))


def rows_for_columns(model_input: ModelInput, _image: Image) -> ModelInput:
    return replace(model_input, tensor=np.ascontiguousarray(model_input.tensor.swapaxes(1, 2)))


def stretched_to_the_image(model_input: ModelInput, image: Image) -> ModelInput:
    return replace(model_input, placement=resized(whole(image.shape), model_input.placement.model_shape))


def upside_down(model_input: ModelInput, _image: Image) -> ModelInput:
    return replace(model_input, tensor=np.ascontiguousarray(model_input.tensor[:, ::-1]))


@pytest.mark.parametrize("name", ["exact", "centre-crop", "square", "longer-side", "mostly-padding"])
@pytest.mark.parametrize("defect", [left_for_right, upside_down])
def test_a_flip_that_the_placement_does_not_know_is_found(
    name: str, defect: Callable[[ModelInput, Image], ModelInput]
) -> None:
    with pytest.raises(CheckError, match="do not agree"):
        corner_lights_corner(with_placement(honest(name), defect))


@pytest.mark.parametrize("name", ["centre-crop", "square", "longer-side", "mostly-padding"])
def test_rows_taken_for_columns_are_found(name: str) -> None:
    with pytest.raises(CheckError, match="do not agree"):
        corner_lights_corner(with_placement(honest(name), rows_for_columns))


@pytest.mark.parametrize("name", ["centre-crop", "slight-crop", "square", "longer-side", "mostly-padding"])
def test_a_crop_or_padding_that_the_placement_leaves_out_is_found(name: str) -> None:
    with pytest.raises(CheckError, match="do not agree"):
        corner_lights_corner(with_placement(honest(name), stretched_to_the_image))


def normalised_as_monai_does(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Its `default_normalizer`: the highest becomes 0, the lowest 1."""
    lowest, highest = maps.min(axis=(2, 3), keepdims=True), maps.max(axis=(2, 3), keepdims=True)
    return 1 - (maps - lowest) / (highest - lowest)


@pytest.mark.parametrize("name", ["exact", "centre-crop", "square"])
@pytest.mark.parametrize(
    "defect",
    [normalised_as_monai_does, np.zeros_like, lambda maps: maps * np.nan],
    ids=["monai", "flat", "nan"],
)
def test_maps_that_are_inverted_or_empty_are_found(
    name: str, defect: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    with pytest.raises(CheckError, match=r"a heatmap is .* away from the patch"):
        corner_lights_corner(with_maps(honest(name), defect))

from __future__ import annotations

from typing import Any

import pytest

from pipeline.classifiers import Preprocessing
from pipeline.errors import ConfigError
from pipeline.guards.yaml_models import validated

EXACT = {"rule": "exact", "size": [8, 6]}


def recipe(**values: Any) -> Preprocessing:
    return validated(Preprocessing, {"window": "full", "resize": EXACT, **values}, source="card.yaml")


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({}, (8, 6)),
        ({"crop": {"centre": [4, 5]}}, (4, 5)),
        ({"resize": {"rule": "none"}, "crop": {"centre": [4, 5]}}, (4, 5)),
        ({"resize": {"rule": "shorter_side", "size": 7}, "pad": "square"}, (7, 7)),
        ({"resize": {"rule": "longer_side", "size": 7}, "crop": {"centre": [7, 7]}}, (7, 7)),
    ],
)
def test_every_input_of_the_network_has_one_shape(values: dict[str, Any], shape: tuple[int, int]) -> None:
    assert recipe(**values).shape == shape


def test_a_window_may_be_stated_in_grey_levels() -> None:
    assert recipe(window=[40, 400]).window == (40, 400)


def test_presets_stand_for_their_rules() -> None:
    imagenet = recipe(channels=3, intensity="imagenet").intensity
    assert (imagenet.rule, imagenet.mean, imagenet.std) == (
        "mean_std",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    )
    torchxrayvision = recipe(intensity="torchxrayvision").intensity
    assert (torchxrayvision.rule, torchxrayvision.low, torchxrayvision.high) == ("range", -1024, 1024)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"window": "heder"}, "window: choose header, full or [centre, width] with a width above 0"),
        ({"window": [40, 0]}, "window: choose header, full or [centre, width] with a width above 0"),
        ({"windw": "full"}, "windw: unknown key; did you mean 'window'?"),
        ({"resize": {**EXACT, "fliter": "nearest"}}, "resize.fliter: unknown key; did you mean 'filter'?"),
        ({"resize": {"rule": "exact"}}, "resize.size: is missing; add the size that rule exact needs"),
        ({"resize": {"rule": "none", "size": 7}}, "resize.size: rule none takes no size; remove it"),
        (
            {"resize": {"rule": "longer_side", "size": [7, 8]}},
            "size: rule longer_side takes one number; give",
        ),
        ({"resize": {"rule": "exact", "size": [0, 8]}}, "resize.size.0: wanted more than 0"),
        ({"resize": {"rule": "shorter_side", "size": 7}}, "crop: resize rule shorter_side leaves images of"),
        ({"resize": {"rule": "none"}, "pad": "square"}, "crop: resize rule none leaves images of different"),
        ({"crop": {"center": [4, 5]}}, "crop.center: unknown key; did you mean 'centre'?"),
        ({"intensity": "imagnet"}, "intensity: unknown preset; did you mean 'imagenet'?"),
        (
            {"intensity": "imagenet"},
            "intensity: mean has 3 values, wanted 1; give one per channel or change channels",
        ),
        ({"intensity": {"rule": "mean_std", "mean": [0.5]}}, "rule mean_std takes mean and std; add std"),
        ({"intensity": {"rule": "none", "low": 0}}, "intensity: rule none takes no other key; remove low"),
        ({"intensity": {"rule": "mean_std", "mean": [0.5], "std": [0]}}, "std.0: wanted more than 0"),
    ],
)
def test_a_wrong_recipe_is_refused_by_key(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        recipe(**values)
    assert complaint in str(refusal.value)

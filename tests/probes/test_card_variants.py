"""Tests of card variants: each changes one thing, and all inputs have the card's shape."""

import numpy as np
import pytest

from pipeline.classifiers import Preprocessing, prepare
from pipeline.classifiers.recipe import Crop, IntensityScaling, Resize
from pipeline.contracts import ProbedImage
from pipeline.probes.card_variants import CARD_VARIANTS
from pipeline.records import Image

PIXELS = np.random.default_rng(0).random((40, 60)).astype(np.float32)


def variants(preprocessing: Preprocessing) -> dict[str, tuple[np.ndarray, Preprocessing]]:
    probed = ProbedImage(Image("case-1", PIXELS, None), preprocessing)
    return {v.name: (v.pixels, v.preprocessing or preprocessing) for v in CARD_VARIANTS.draw(probed)}


CROPPED = Preprocessing(
    window="full",
    resize=Resize(rule="shorter_side", size=(32, 32)),
    crop=Crop(centre=(28, 28)),
    intensity=IntensityScaling(rule="none"),
)


def test_orientation_and_brightness() -> None:
    found = variants(CROPPED)
    np.testing.assert_array_equal(found["mirrored"][0], np.fliplr(PIXELS))
    np.testing.assert_array_equal(found["upside_down"][0], np.flipud(PIXELS))
    np.testing.assert_array_equal(found["inverted"][0], 1 - PIXELS)


def test_each_variant_changes_one_thing_and_keeps_the_input_shape() -> None:
    found = variants(CROPPED)
    assert len(found) <= CARD_VARIANTS.most
    for name, (pixels, preprocessing) in found.items():
        assert preprocessing.shape == (28, 28)
        assert prepare(Image("case-1", pixels, None), preprocessing).tensor.shape == (1, 28, 28)
        assert (preprocessing == CROPPED) == (name in {"mirrored", "upside_down", "inverted"})


def test_names_of_a_cropping_card() -> None:
    assert set(variants(CROPPED)) == {
        *("mirrored", "upside_down", "inverted", "stretched", "padded", "window_header"),
        *("intensity_z_score", "intensity_min_max", "intensity_torchxrayvision"),
    }


@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_of_colour_images_need_three_channels(channels: int) -> None:
    stretched = Preprocessing(
        window="full", channels=channels, resize=Resize(rule="exact", size=(24, 24)), intensity="min_max"
    )
    names = set(variants(stretched))
    assert ("intensity_imagenet" in names) == (channels == 3)
    assert "stretched" not in names
    assert "intensity_min_max" not in names
    assert "intensity_none" in names

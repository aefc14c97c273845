"""Tests of shortcut probes: each sees its planted shortcut, and moves no network that reads the lesion."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import ProbedImage
from pipeline.metrics.ranking import auroc_of_counts, counted
from pipeline.probes import PROBES
from tests.probes.study import LESION, SHAPE, film, probed, reads_lesion

Planted = Callable[[NDArray[np.float32]], NDArray[np.float32]]
COUNT = 20
PROBED = ("low_pass", "brightness", "frame", "background", "outside", "stripes", "text")


def with_marker(image: NDArray[np.float32]) -> NDArray[np.float32]:
    image = image.copy()
    image[2:12, 110:124] = 0.9
    return image


def with_stripes(image: NDArray[np.float32]) -> NDArray[np.float32]:
    image = image.copy()
    image[::8] += 0.03
    return image


def with_noise(image: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = np.indices(SHAPE)
    return (image + np.where((rows + columns) % 2, 0.02, -0.02)).clip(0, 1).astype(np.float32)


def brighter(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return (image * 1.3).clip(0, 1).astype(np.float32)


def corner(pixels: NDArray[np.float32]) -> float:
    return float(pixels[:16].mean())


def striped(pixels: NDArray[np.float32]) -> float:
    return float(pixels[24:104:8, 20:108].mean() - pixels[20:108, 20:108].mean())


def checkered(pixels: NDArray[np.float32]) -> float:
    rows, columns = np.indices(SHAPE)
    sign = np.where((rows + columns) % 2, 1, -1)
    return float((pixels * sign)[20:108, 20:108].mean())


def mean(pixels: NDArray[np.float32]) -> float:
    return float(pixels.mean())


CASES = [
    ("frame", with_marker, corner),
    ("background", with_marker, corner),
    ("outside", with_marker, corner),
    ("stripes", with_stripes, striped),
    ("low_pass", with_noise, checkered),
    ("brightness", brighter, mean),
]


def changed(probe: str, image: ProbedImage) -> NDArray[np.float32]:
    """The last version that a probe draws, or the image as it is if there is none."""
    versions = [variant.pixels for variant in PROBES[probe].draw(image)]
    return versions[-1] if versions else image.image.pixels


def auroc(scores: list[float]) -> float:
    """AUROC of scores of which the first half are positives."""
    labels = np.arange(COUNT) < COUNT // 2
    return float(auroc_of_counts(*counted(np.array(scores), labels, np.ones((1, COUNT))))[0])


def films(planted: Planted | None, *, lesions: bool) -> list[NDArray[np.float32]]:
    """Positives first; the artefact is planted into positives."""
    images = [film(seed, lesion=lesions and seed < COUNT // 2) for seed in range(COUNT)]
    if planted is None:
        return images
    return [planted(image) if seed < COUNT // 2 else image for seed, image in enumerate(images)]


@pytest.mark.parametrize(("probe", "planted", "network"), CASES)
def test_a_planted_shortcut_is_seen(
    probe: str, planted: Planted, network: Callable[[NDArray[np.float32]], float]
) -> None:
    images = films(planted, lesions=False)
    assert auroc([network(image) for image in images]) == 1.0
    # The other image is one of each label in turn, so exchanged properties no longer tell the label.
    after = [
        network(changed(probe, probed(image, lesion=False, other=images[(7 * seed + 3) % COUNT])))
        for seed, image in enumerate(images)
    ]
    assert auroc(after) < 0.75


@pytest.mark.parametrize("probe", PROBED)
def test_a_network_that_reads_the_lesion_is_not_moved(probe: str) -> None:
    images = films(None, lesions=True)
    after = [
        reads_lesion(
            changed(probe, probed(image, lesion=seed < COUNT // 2, other=images[(seed + COUNT // 2) % COUNT]))
        )
        for seed, image in enumerate(images)
    ]
    assert auroc([reads_lesion(image) for image in images]) == 1.0
    assert auroc(after) > 0.97


@pytest.mark.parametrize("probe", PROBED)
def test_versions_are_images_and_the_same_every_time(probe: str) -> None:
    image = probed(film(1, lesion=True), lesion=True, other=film(2, lesion=False))
    first, second = (list(PROBES[probe].draw(image)) for _ in range(2))
    assert len(first) <= PROBES[probe].most
    for one, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.pixels, again.pixels)
        assert one.pixels.shape == SHAPE
        assert one.pixels.dtype == np.float32
        assert one.pixels.min() >= 0
        assert one.pixels.max() <= 1


def test_another_image_of_another_shape_is_stretched() -> None:
    other = np.full((64, 200), 0.8, np.float32)
    (variant,) = PROBES["frame"].draw(probed(film(1, lesion=True), lesion=True, other=other))
    assert abs(float(variant.pixels[:8].mean()) - 0.8) < 0.05
    np.testing.assert_array_equal(variant.pixels[LESION], film(1, lesion=True)[LESION])


def test_a_black_image_has_no_brightness_to_change() -> None:
    black = np.zeros(SHAPE, np.float32)
    assert list(PROBES["brightness"].draw(probed(black, lesion=False, other=film(1, lesion=False)))) == []


def test_an_annotated_region_in_the_border_keeps_its_pixels() -> None:
    image, region = film(1, lesion=False), np.zeros(SHAPE, bool)
    region[4:16, 60:72] = True
    at_the_edge = replace(probed(image, lesion=True, other=film(2, lesion=False)), regions={"mass": region})
    image[region] = 0.7
    (variant,) = PROBES["frame"].draw(at_the_edge)
    np.testing.assert_array_equal(variant.pixels[region], image[region])

"""Tests of the lesion probe: each fill removes the lesion, and leaves everything but its region alone."""

import numpy as np
import pytest

from pipeline.probes.lesion import LESION_AGAINST_CONTROL
from pipeline.probes.regions import widened
from tests.probes.study import LESION, SHAPE, film, probed

NAMES = ("inpaint/lesion", "inpaint/control", "clone/lesion", "clone/control")


def test_every_fill_replaces_lesion_and_control() -> None:
    variants = list(LESION_AGAINST_CONTROL.draw(probed(film(0, lesion=True), lesion=True)))
    assert tuple(variant.name for variant in variants) == NAMES
    assert {variant.finding for variant in variants} == {"mass"}
    assert len(variants) == LESION_AGAINST_CONTROL.most


@pytest.mark.parametrize("seed", range(5))
def test_the_lesion_is_gone_and_the_control_keeps_it(seed: int) -> None:
    image = film(seed, lesion=True)
    by_name = {v.name: v.pixels for v in LESION_AGAINST_CONTROL.draw(probed(image, lesion=True))}
    for fill in ("inpaint", "clone"):
        gone, kept = by_name[f"{fill}/lesion"], by_name[f"{fill}/control"]
        # The tissue's mean is 0.4; the mean of 144 pixels with SD 0.03 has an SD of 0.0025.
        assert abs(float(gone[LESION].mean()) - 0.4) < 0.03
        np.testing.assert_array_equal(kept[LESION], image[LESION])


def test_pixels_far_from_the_region_stay() -> None:
    image = film(1, lesion=True)
    region = np.zeros(SHAPE, bool)
    region[LESION] = True
    far = ~widened(widened(widened(region)))
    for variant in LESION_AGAINST_CONTROL.draw(probed(image, lesion=True)):
        if variant.name.endswith("lesion"):
            np.testing.assert_array_equal(variant.pixels[far], image[far])


def test_the_clone_has_texture_and_the_inpainting_has_none() -> None:
    by_name = {
        v.name: v.pixels[58:66, 42:50]
        for v in LESION_AGAINST_CONTROL.draw(probed(film(2, lesion=True), lesion=True))
    }
    assert by_name["clone/lesion"].std() > 0.02
    assert by_name["inpaint/lesion"].std() < 0.01


def test_no_version_without_a_place_for_the_control() -> None:
    image = film(3, lesion=True)
    whole = probed(image, lesion=True)
    whole.regions["mass"][20:108, 20:108] = True
    assert list(LESION_AGAINST_CONTROL.draw(whole)) == []


def test_no_version_without_a_region() -> None:
    assert list(LESION_AGAINST_CONTROL.draw(probed(film(4, lesion=False), lesion=False))) == []


def test_other_findings_are_no_control() -> None:
    image = film(5, lesion=True)
    both = probed(image, lesion=True)
    other = np.zeros(SHAPE, bool)
    other[16:112, 60:112] = True
    both.regions["other"] = other  # type: ignore[index]  # a plain dict
    for variant in LESION_AGAINST_CONTROL.draw(both):
        if variant.name == "inpaint/control":
            np.testing.assert_array_equal(variant.pixels[:, 64:108], image[:, 64:108])

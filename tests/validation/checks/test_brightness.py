"""Dark images, and images unlike the others, from given percentiles."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.validation.checks import brightness
from pipeline.validation.facts import Brightness, ImageFacts
from pipeline.validation.measuring import brightness as measured
from tests.validation.facts import found, image, names


def images(*facts: tuple[float, float, float]) -> list[ImageFacts]:
    return [image(str(n), brightness=Brightness(*values)) for n, values in enumerate(facts)]


USUAL = [(0.0, 0.50 + 0.01 * n, 0.9) for n in range(7)]
"""Means of 0.50 … 0.56: with an eighth image between, the spread is about 0.03."""


@pytest.mark.parametrize(("brightest", "dark"), [(0.0625, True), (0.063, False)])
def test_an_image_is_dark_if_it_uses_a_sixteenth_of_the_range(brightest: float, *, dark: bool) -> None:
    assert bool(found(brightness.DARK, *images((0.0, 0.01, brightest)))) == dark


@pytest.mark.parametrize(("mean", "unlike"), [(0.2, True), (0.3, False), (0.79, True), (0.77, False)])
def test_a_mean_far_from_the_median_is_reported(mean: float, *, unlike: bool) -> None:
    """The median of eight images is 0.525 or 0.535; a distance of 0.25 is needed."""
    assert names(found(brightness.UNLIKE, *images(*USUAL, (0.0, mean, 0.9)))) == ([("7",)] if unlike else [])


@pytest.mark.parametrize(("brightest", "unlike"), [(0.69, True), (0.71, False)])
def test_a_third_of_the_usual_range_is_reported(brightest: float, *, unlike: bool) -> None:
    facts = images(*USUAL, (0.4, 0.53, brightest))
    assert names(found(brightness.UNLIKE, *facts)) == ([("7",)] if unlike else [])


def test_seven_images_and_dark_ones_show_nothing_unusual() -> None:
    assert found(brightness.UNLIKE, *images(*USUAL[:6], (0.0, 0.1, 0.9))) == []
    assert found(brightness.UNLIKE, *images(*USUAL, (0.0, 0.01, 0.05))) == []


def test_percentiles_and_mean_are_of_all_pixels() -> None:
    """Of 0, 0.01, …, 1, the percentiles are the values themselves."""
    pixels = np.linspace(0, 1, 101, dtype=np.float32)[None]
    assert measured(pixels) == pytest.approx((0.01, 0.5, 0.99))

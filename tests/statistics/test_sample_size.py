"""Sample size: hand-worked and published numbers, the formulas put back, and the tests on drawn data."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from pipeline.statistics.sample_size import (
    mean_shown,
    patients_for_mean,
    patients_for_share,
    power_of_mean,
    share_shown,
    smallest_difference,
)

Z, Z_POWER = 1.959964, 0.841621
"""Quantiles of the normal distribution at 0.975 and 0.8, from a table."""


def test_connors_formula_by_hand() -> None:
    """ψ = 0.3, δ = 0.1: (1.96 × 0.5477 + 0.8416 × √0.29)² / 0.01 = (1.0735 + 0.4532)² / 0.01 = 233.1."""
    assert patients_for_share(0.3, 0.1) == 234


@pytest.mark.parametrize(("discordant", "patients"), [(0.3, 50), (0.7, 20), (0.4, 100), (0.05, 400)])
def test_the_smallest_share_put_back_into_the_formula_gives_the_patients(
    discordant: float, patients: int
) -> None:
    shown = share_shown(discordant, patients)
    assert shown is not None
    root = Z * sqrt(discordant) + Z_POWER * sqrt(discordant - shown**2)
    assert root**2 / shown**2 == pytest.approx(patients, rel=1e-5)


def test_a_share_beyond_all_discordant_patients_cannot_be_shown() -> None:
    assert share_shown(0.3, 10) is None


def test_more_discordant_patients_than_the_difference_are_assumed() -> None:
    """A difference of 0.1 takes a share of at least 0.1; then √0.1 and √(0.1 - 0.01) make 76.2."""
    assert patients_for_share(0.02, 0.1) == patients_for_share(0.1, 0.1) == 77


@pytest.mark.parametrize(("effect", "patients"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_cohens_table_of_the_paired_t_test(effect: float, patients: int) -> None:
    """Small, medium and large effects at α = 0.05 and 80 % power, as G*Power has them."""
    assert patients_for_mean(1.0, effect) == patients


def test_the_smallest_mean_has_80_percent_power() -> None:
    shown = mean_shown(0.3, 25)
    assert shown is not None
    assert power_of_mean(0.3, 25, shown) == pytest.approx(0.8, abs=1e-6)


def test_the_t_test_finds_the_smallest_mean_in_80_of_100_studies() -> None:
    shown = mean_shown(0.3, 25)
    assert shown is not None
    drawn = np.random.default_rng(0).normal(shown, 0.3, (4000, 25))
    found = np.mean(ttest_1samp(drawn, 0, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=0.02)


def test_no_mean_above_the_largest_iou_is_promised() -> None:
    assert mean_shown(1.0, 3) is None


def test_hits_of_one_image_per_patient_count_as_shares() -> None:
    """100 patients: 30 hit by the first alone, 10 by the second alone, so ψ = 0.4."""
    pairs = [(n, float(n < 30 or n >= 40), float(n >= 30)) for n in range(100)]
    shown = smallest_difference(pairs, shares=True, tests=4)
    assert (shown.formula, shown.patients, shown.n, shown.spread) == ("shares", 100, 100, 0.4)
    assert shown.smallest == share_shown(0.4, 100)
    assert shown.corrected == share_shown(0.4, 100, alpha=0.0125)
    assert shown.needed == patients_for_share(0.4, 0.1)


def test_images_of_a_patient_are_no_patients() -> None:
    """Three patients with two images each: means of 0.5, 0 and 1, whose standard deviation is 0.5."""
    pairs = [
        ("a", 1.0, 0.0),
        ("a", 0.0, 0.0),
        ("b", 1.0, 1.0),
        ("b", 0.0, 0.0),
        ("c", 1.0, 0.0),
        ("c", 1.0, 0.0),
    ]
    shown = smallest_difference(pairs, shares=True)
    assert (shown.formula, shown.n, shown.patients) == ("means", 6, 3)
    assert shown.spread == pytest.approx(0.5)


def test_twice_the_images_of_the_same_patients_show_no_smaller_difference() -> None:
    rng = np.random.default_rng(1)
    once = [(n, float(value), 0.0) for n, value in enumerate(rng.random(20))]
    single, double = (smallest_difference(pairs, shares=False).smallest for pairs in (once, [*once, *once]))
    assert single == pytest.approx(double)


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([], "fewer than 2 patients"),
        ([("a", 1.0, 0.0), ("a", 0.0, 1.0)], "fewer than 2 patients"),
        ([("a", 1.0, 1.0), ("b", 0.0, 0.0)], "spread is unknown"),
        ([(n, float(n % 2), 0.0) for n in range(4)], "even the largest possible difference"),
    ],
)
def test_without_a_smallest_difference_it_is_said_why(
    pairs: list[tuple[str, float, float]], why: str
) -> None:
    shown = smallest_difference(pairs, shares=True)
    assert shown.smallest is None
    assert why in shown.because

"""Linear readout: against scikit-learn, worked by hand, and on labels that mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from pipeline.statistics.auroc import auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.comparison import Difference
from pipeline.statistics.linear_readout import (
    FEWEST_PATIENTS,
    FOLDS,
    NO_FEATURES,
    direction,
    folds_of,
    linear_readout,
    out_of_fold,
    shrinkage_of,
)

RANDOM = np.random.default_rng(3)
IMAGES = 40
LABEL = np.arange(IMAGES) % 2 == 0
ALONE = [f"{number:03}" for number in range(IMAGES)]
"""A patient per image."""
MIXED = RANDOM.normal(size=(3, 200))
WIDE = RANDOM.normal(size=(IMAGES, 3)) @ MIXED + RANDOM.normal(size=(IMAGES, 200))
"""More channels than images, which have something in common."""
TALL = WIDE[:, :6]
"""Fewer."""


@pytest.mark.parametrize("features", [WIDE, TALL, np.repeat(TALL, 20, axis=1)])
def test_the_shrinkage_is_scikit_learns(features: np.ndarray) -> None:
    centred = features - features.mean(axis=0)
    shrinkage, level = shrinkage_of(centred)
    assert shrinkage == pytest.approx(ledoit_wolf_shrinkage(centred, assume_centered=True))
    assert level == pytest.approx((centred**2).mean())


@pytest.mark.parametrize("features", [WIDE, TALL])
def test_the_direction_is_that_of_ridge_regression_with_the_same_shrinkage(features: np.ndarray) -> None:
    standard = StandardScaler().fit_transform(features)
    shrinkage, level = shrinkage_of(standard)
    ridge = Ridge(alpha=IMAGES * shrinkage * level / (1 - shrinkage)).fit(standard, LABEL.astype(float))
    mean, weights = direction(features, LABEL)
    found = (features - mean) @ weights * (1 - shrinkage)
    assert found == pytest.approx(ridge.predict(standard) - LABEL.mean(), abs=1e-9)


def test_scores_of_a_fold_come_from_the_other_folds() -> None:
    fold = folds_of(LABEL, ALONE)
    scores = out_of_fold(WIDE, LABEL, ALONE)
    for number in range(FOLDS):
        test = fold == number
        mean, weights = direction(WIDE[~test], LABEL[~test])
        assert scores[test] == pytest.approx((WIDE[test] - mean) @ weights, abs=1e-8)


def test_a_label_that_one_channel_holds_is_read() -> None:
    features = WIDE.copy()
    features[:, 7] = 10 * LABEL
    features[:, 9] = 4.0  # never varies
    found = linear_readout(np.repeat(features[:, 7:10], 3, axis=1), LABEL, ALONE)
    assert (found.n, found.patients, found.positives, found.because) == (40, 40, 20, "")
    assert tuple(found.interval(0.95)) == pytest.approx((1.0, 0.025 ** (1 / 20), 1.0))


def test_a_shift_that_all_channels_share_is_read_though_none_shows_it() -> None:
    """200 channels of which each moves by .35 of its standard deviation: an AUROC of .6 alone."""
    label = np.arange(100) % 2 == 0
    patients = [f"{number:03}" for number in range(100)]
    features = RANDOM.normal(size=(100, 200)) + 0.35 * label[:, None]
    found = linear_readout(features, label, patients).interval(0.95)
    assert found.low is not None
    assert found.low > 0.8


def test_folds_hold_whole_patients_and_a_like_share_of_the_label() -> None:
    patients = [f"{number // 3:03}" for number in range(150)]
    label = np.repeat(np.arange(50) % 5 == 0, 3)  # as often as there are folds
    label[::6] ^= True
    fold = folds_of(label, patients)
    assert all(len({fold[i] for i in range(3 * p, 3 * p + 3)}) == 1 for p in range(50))
    inside = [int(label[fold == number].sum()) for number in range(FOLDS)]
    assert np.ptp(inside) <= 2
    assert np.ptp(np.bincount(fold)) <= 6
    assert (folds_of(label, patients) == fold).all()


def test_fewer_than_five_patients_of_a_class_cannot_tell() -> None:
    few = [number < 12 for number in range(IMAGES)]
    of_four = [f"{number % 4 if number < 12 else number:03}" for number in range(IMAGES)]
    found = linear_readout(WIDE, few, of_four)
    assert (found.because, found.positives) == ("fewer than 5 patients with it", 12)
    assert found.interval(0.95) == (None, None, None)
    none = linear_readout(WIDE, [True] * IMAGES, ALONE)
    assert none.because == "fewer than 5 patients without it"
    least = linear_readout(WIDE, np.arange(IMAGES) < FEWEST_PATIENTS, ALONE)
    assert least.because == ""
    assert None not in least.interval(0.95)


def test_a_network_without_a_linear_layer_has_no_features() -> None:
    found = linear_readout(np.zeros((IMAGES, 0)), LABEL, ALONE)
    assert (found.n, found.because) == (40, NO_FEATURES)


def test_features_that_do_not_vary_tell_nothing() -> None:
    assert linear_readout(np.full((IMAGES, 30), 0.1), LABEL, ALONE).interval(0.95).estimate == 0.5


def test_the_variance_is_twice_delongs() -> None:
    found = linear_readout(WIDE, LABEL, ALONE).ranked
    plain = ranked(out_of_fold(WIDE, LABEL, ALONE), LABEL, ALONE)
    assert found is not None
    assert plain is not None
    wide, narrow = (interval_of_auroc(one, 0.95) for one in (found, plain))

    def width(low: float | None, high: float | None) -> float:
        assert low is not None
        assert high is not None
        return float(np.log(high / (1 - high)) - np.log(low / (1 - low)))

    assert width(*wide[1:]) == pytest.approx(np.sqrt(2) * width(*narrow[1:]), rel=1e-3)


def test_what_was_learnt_adds_to_the_variance_of_a_difference_from_another_output() -> None:
    scores = out_of_fold(WIDE, LABEL, ALONE)
    found, plain = linear_readout(WIDE, LABEL, ALONE).ranked, ranked(scores, LABEL, ALONE)
    alike = ranked(scores + 0.01 * RANDOM.normal(size=IMAGES), LABEL, ALONE)
    difference, alone = (auroc_difference(one, alike, 0.95) for one in (found, plain))
    assert plain is not None
    learnt = sum((part @ part) * 20 / 19 for part in (plain.positive, plain.negative))  # 20 images each

    def variance(found: Difference) -> float:
        assert found.high is not None
        assert found.estimate is not None
        return float((found.high - found.estimate) / student.ppf(0.975, 19)) ** 2

    assert variance(difference) == pytest.approx(variance(alone) + learnt)
    assert variance(alone) < learnt


@pytest.mark.parametrize("images_of_a_patient", [1, 4])
def test_intervals_of_labels_that_mean_nothing_hold_one_half(images_of_a_patient: int) -> None:
    """Of 100 study sets of 64 images with 256 channels, 95 % or more, within two standard errors."""
    sets, patients = 100, 64 // images_of_a_patient
    units = [f"{number // images_of_a_patient:03}" for number in range(64)]
    held, estimates = 0, []
    for _ in range(sets):
        label = np.repeat(RANDOM.permutation(patients) < patients // 2, images_of_a_patient)
        of_patient = np.repeat(RANDOM.normal(size=(patients, 256)), images_of_a_patient, axis=0)
        estimate, low, high = linear_readout(
            of_patient + 0.5 * RANDOM.normal(size=(64, 256)), label, units
        ).interval(0.95)
        assert estimate is not None
        assert low is not None
        assert high is not None
        estimates.append(estimate)
        held += low <= 0.5 <= high
    assert held / sets > 0.95 - 2 * np.sqrt(0.05 * 0.95 / sets)
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / np.sqrt(sets))

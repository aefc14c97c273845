import numpy as np
import pytest
from sklearn.calibration import calibration_curve as scikit_learns

from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.calibration import calibration_curve
from pipeline.statistics.intervals import interval_of_mean
from pipeline.statistics.proportions import clopper_pearson

NAMES = ["a", "b", "c", "d", "e"]


def test_two_bins_by_hand() -> None:
    low, high = calibration_curve([0.9, 0.1, 0.3, 0.8, 0.2], [1, 0, 1, 0, 0], NAMES, Resampling(), bins=2)
    assert low == pytest.approx((0.1, 0.3, 0.2, 3, 1 / 3, *clopper_pearson(1, 3, confidence=0.95)))
    assert high == pytest.approx((0.8, 0.9, 0.85, 2, 1 / 2, *clopper_pearson(1, 2, confidence=0.95)))


def test_fewer_cases_than_bins_are_a_bin_each() -> None:
    curve = calibration_curve([0.9, 0.1], [1, 0], ["a", "b"], Resampling())
    assert [part.n for part in curve] == [1, 1]
    assert calibration_curve([], [], [], Resampling()) == []


def test_with_several_images_a_patient_intervals_are_over_patients() -> None:
    generator = np.random.default_rng(0)
    probability = generator.random(40)
    label = (generator.random(40) < probability).astype(float)
    patients = [f"{number // 2:02}" for number in range(40)]
    (whole,) = calibration_curve(probability, label, patients, Resampling(), bins=1)
    assert (whole.observed, whole.low, whole.high) == interval_of_mean(label, patients, Resampling())


def test_it_equals_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    probability = generator.random(200)
    label = generator.random(200) < probability**2
    observed, predicted = scikit_learns(label, probability, n_bins=10, strategy="quantile")
    curve = calibration_curve(probability, label, [f"{number:03}" for number in range(200)], Resampling())
    assert [part.n for part in curve] == [20] * 10
    assert [part.observed for part in curve] == pytest.approx(observed)
    assert [part.predicted for part in curve] == pytest.approx(predicted)


def test_equal_probabilities_are_in_one_bin_whatever_came_true() -> None:
    curve = calibration_curve(
        [0.5] * 10 + [0.9] * 2, [0, 1] * 5 + [1, 1], [str(n) for n in range(12)], Resampling()
    )
    assert [(part.n, part.observed) for part in curve] == [(10, 0.5), (2, 1)]

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import interval_of_mean
from pipeline.statistics.proportions import clopper_pearson, interval_of_proportion, interval_of_share

ONE_EACH = [f"{number:02}" for number in range(10)]


def test_none_of_ten_is_at_most_31_percent() -> None:
    # The high bound p solves (1 - p)^10 = 0.025.
    assert clopper_pearson(0, 10, confidence=0.95) == (0, pytest.approx(1 - 0.025**0.1))
    assert clopper_pearson(10, 10, confidence=0.95) == (pytest.approx(0.025**0.1), 1)


@pytest.mark.parametrize("trials", [1, 7, 40])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_it_equals_scipy(trials: int, confidence: float) -> None:
    for successes in range(trials + 1):
        theirs = binomtest(successes, trials).proportion_ci(confidence, method="exact")
        found = clopper_pearson(successes, trials, confidence=confidence)
        assert found == pytest.approx((theirs.low, theirs.high))


def test_with_one_image_a_patient_the_interval_is_exact() -> None:
    found = interval_of_proportion([1, 1, 1] + [0] * 7, ONE_EACH, Resampling())
    assert found == (0.3, *clopper_pearson(3, 10, confidence=0.95))


def test_with_several_images_a_patient_it_is_over_patients() -> None:
    values, patients = [1, 1, 1] + [0] * 7, [name[0] + str(int(name) // 2) for name in ONE_EACH]
    assert interval_of_proportion(values, patients, Resampling()) == interval_of_mean(
        values, patients, Resampling()
    )


@pytest.mark.parametrize("value", [0, 1])
def test_where_all_images_are_alike_each_patient_counts_once(value: int) -> None:
    # A bootstrap of twenty zeros finds nothing but zeros and would claim to be certain.
    found = interval_of_proportion([value] * 20, ONE_EACH * 2, Resampling())
    assert found == (value, *clopper_pearson(10 * value, 10, confidence=0.95))


def test_shares_of_area_are_exact_only_where_all_are_nothing_or_all() -> None:
    all_right = interval_of_share([1.0] * 10, ONE_EACH, Resampling())
    assert all_right == (1, *clopper_pearson(10, 10, confidence=0.95))
    varied = np.linspace(0, 1, 10)
    assert interval_of_share(varied, ONE_EACH, Resampling()) == interval_of_mean(
        varied, ONE_EACH, Resampling()
    )
    assert interval_of_share([0.5] * 10, ONE_EACH, Resampling()) == (0.5, None, None)


def test_one_image_has_an_interval_that_says_how_little_it_tells() -> None:
    assert interval_of_proportion([1], ["a"], Resampling()) == pytest.approx((1, 0.025, 1))


def test_the_confidence_is_the_one_asked_for() -> None:
    found = interval_of_proportion([1] + [0] * 9, ONE_EACH, Resampling(confidence=0.8))
    assert found[1:] == clopper_pearson(1, 10, confidence=0.8)


def test_without_images_nothing_is_defined() -> None:
    assert interval_of_proportion(np.empty(0), [], Resampling()) == (None, None, None)

"""AUROC over patients: against pairs counted one by one, scikit-learn, DeLong's sums and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, norm
from sklearn.metrics import roc_auc_score

from pipeline.statistics.auroc import auroc_difference, interval_of_auroc, ranked, separated_interval
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.classification import replicated_auroc
from pipeline.statistics.comparison import NO_DIFFERENCE
from pipeline.statistics.intervals import UNDEFINED

RANDOM = np.random.default_rng(7)
LABEL = np.arange(120) % 3 == 0
SCORE = np.round(RANDOM.normal(size=120) + LABEL, 1)  # with ties
OTHER = np.round(RANDOM.normal(size=120) + 0.3 * LABEL, 1)
ALONE = [f"{number:03}" for number in range(120)]
"""A patient per image."""
BY_FOUR = [f"{number // 4:03}" for number in range(120)]


def placements(score: np.ndarray, label: np.ndarray) -> tuple[list[float], list[float]]:
    """Of each positive among negatives and the other way round, pair by pair."""

    def wins(a: float, b: float) -> float:
        return float(a > b) + 0.5 * float(a == b)

    positive, negative = score[label], score[~label]
    return (
        [float(np.mean([wins(x, y) for y in negative])) for x in positive],
        [float(np.mean([wins(x, y) for x in positive])) for y in negative],
    )


def test_it_is_the_area_that_scikit_learn_finds() -> None:
    found = ranked(SCORE, LABEL, BY_FOUR)
    assert found is not None
    assert found.estimate == pytest.approx(roc_auc_score(LABEL, SCORE), abs=1e-12)


def test_with_one_image_a_patient_the_p_value_is_delongs() -> None:
    first, second = ranked(SCORE, LABEL, ALONE), ranked(OTHER, LABEL, ALONE)
    (a10, a01), (b10, b01) = placements(SCORE, LABEL), placements(OTHER, LABEL)
    ten, one = np.subtract(a10, b10), np.subtract(a01, b01)
    error = np.sqrt(ten.var(ddof=1) / len(ten) + one.var(ddof=1) / len(one))
    found = auroc_difference(first, second, 0.95)
    assert first is not None
    assert second is not None
    assert found.estimate == pytest.approx(np.mean(a10) - np.mean(b10))
    assert found.high is not None
    assert found.low is not None
    # Student's t with 39 degrees of freedom in place of the normal distribution
    assert (found.high - found.low) / 2 == pytest.approx(2.0227 * error, rel=1e-4)
    assert found.p == pytest.approx(2 * norm.sf(found.estimate / error), rel=0.5)


def test_images_of_one_patient_widen_the_interval_as_the_bootstrap_says() -> None:
    """Four images of a patient with one label and nearly one score: a quarter of the patients."""
    label = np.repeat(np.arange(60) % 2 == 0, 4)
    score = np.repeat(RANDOM.normal(size=60) + 1.0 * label[::4], 4) + RANDOM.normal(0, 0.05, 240)
    patients = [f"{number // 4:03}" for number in range(240)]
    draws = replicated_auroc(score, label, patients, Resampling(replicates=2000)).drawn[:, 0]
    low, high = np.quantile(draws, [0.025, 0.975])
    found = interval_of_auroc(ranked(score, label, patients), 0.95)
    assert found.low is not None
    assert found.high is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=0.025), pytest.approx(high, abs=0.025))
    alone = interval_of_auroc(ranked(score, label, [f"{n:03}" for n in range(240)]), 0.95)
    assert alone.low is not None
    assert alone.low > found.low + 0.03


def test_no_class_has_no_area_and_one_patient_of_a_class_has_no_interval() -> None:
    assert ranked([0.1, 0.2], [1, 1], ["a", "b"]) is None
    assert interval_of_auroc(None, 0.95) == UNDEFINED
    assert auroc_difference(None, ranked(SCORE, LABEL, ALONE), 0.95) == NO_DIFFERENCE
    found = interval_of_auroc(ranked([0.3, 0.2, 0.4], [1, 0, 0], ["a", "b", "c"]), 0.95)
    assert found == (0.5, None, None)


@pytest.mark.parametrize(("positives", "negatives"), [(17, 17), (17, 300), (300, 17)])
def test_a_perfect_area_has_the_bound_of_its_rarer_class(positives: int, negatives: int) -> None:
    label = [True] * positives + [False] * negatives
    patients = [str(n) for n in range(len(label))]
    found = interval_of_auroc(ranked(label, label, patients), 0.95)
    assert found == (1.0, pytest.approx(0.025 ** (1 / 17)), 1.0)
    turned = interval_of_auroc(ranked([not one for one in label], label, patients), 0.95)
    assert turned == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 17)))


def test_patients_of_both_classes_count_on_one_side_only() -> None:
    both = separated_interval(1.0, "abcd", "abcd", 0.95)
    assert both == (1.0, pytest.approx(float(beta.ppf(0.025, 2, 1))), 1.0)
    assert separated_interval(1.0, "a", "a", 0.95) == (1.0, None, None)


def test_the_bound_holds_where_one_score_in_many_errs() -> None:
    """The distribution for which it is exact: a true AUROC at the bound separates 17 and 17 once in 40."""
    truth, drawn = 0.025 ** (1 / 17), np.random.default_rng(1).random((40_000, 17))
    separated = (drawn < truth).all(axis=1).mean()  # negatives err with chance 1 - truth, positives never
    assert separated == pytest.approx(0.025, abs=3 * np.sqrt(0.025 * 0.975 / 40_000))


def test_opposite_areas_of_few_patients_have_the_p_value_of_a_sign_test() -> None:
    label = [True] * 6 + [False] * 9
    right, wrong = (
        ranked(score, label, [str(n) for n in range(15)]) for score in (label, [not x for x in label])
    )
    assert auroc_difference(right, wrong, 0.95) == (1.0, None, None, 2 * 0.5**6)
    assert auroc_difference(right, right, 0.95) == (0.0, None, None, 1.0)


def test_a_single_patient_of_a_class_does_not_vary_and_tells_no_difference() -> None:
    """One image with the finding below all others of its group: not an AUROC of 0 beyond doubt."""
    rest = ranked(SCORE, LABEL, ALONE)
    one = ranked([0.0, 1, 2, 3], [1, 0, 0, 0], ["x", "y", "z", "w"])
    assert auroc_difference(one, rest, 0.95)[1:] == (None, None, None)
    two = auroc_difference(ranked([0.0, 0.5, 1, 2, 3], [1, 1, 0, 0, 0], list("xvyzw")), rest, 0.95)
    assert two.p is not None
    assert two.p > 0.04  # one degree of freedom


def test_areas_of_different_patients_are_independent() -> None:
    half = LABEL.size // 2
    a, b = ranked(SCORE[:half], LABEL[:half], ALONE[:half]), ranked(SCORE[half:], LABEL[half:], ALONE[half:])
    found = auroc_difference(a, b, 0.95)
    errors = []
    for rows in (slice(None, half), slice(half, None)):
        ten, one = placements(SCORE[rows], LABEL[rows])
        errors.append(np.var(ten, ddof=1) / len(ten) + np.var(one, ddof=1) / len(one))
    assert found.high is not None
    assert found.estimate is not None
    # 19 degrees of freedom, and 40/39 in place of 20/19 in the variance of positives
    assert found.high - found.estimate == pytest.approx(2.0930 * np.sqrt(sum(errors)), rel=0.03)

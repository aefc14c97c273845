from math import comb

import numpy as np
import pytest
from scipy.stats import fisher_exact

from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import difference_of_columns, holm
from pipeline.statistics.intervals import interval_of_mean
from pipeline.statistics.proportions import clopper_pearson
from pipeline.statistics.subgroups import (
    Sample,
    Subgroup,
    fisher_p,
    means,
    shares,
    subgroups,
    subgroups_together,
)

RESAMPLING = Resampling(replicates=200)
PATIENTS = [f"{number:02}" for number in range(40)]
SEX = ["F"] * 18 + ["M"] * 20 + [""] * 2
VIEW = ["AP"] * 9 + ["PA"] * 31
SCORES = np.random.default_rng(0).random(40)


def of(rows: list[Subgroup], attribute: str, group: str) -> Subgroup:
    (row,) = (row for row in rows if (row.attribute, row.group) == (attribute, group))
    return row


def found() -> list[Subgroup]:
    return subgroups(means(SCORES, PATIENTS, RESAMPLING), PATIENTS, {"sex": SEX, "view": VIEW})


def test_each_value_of_each_attribute_has_a_row() -> None:
    assert [(row.attribute, row.group, row.n, row.patients) for row in found()] == [
        ("sex", "F", 18, 18),
        ("sex", "M", 20, 20),
        ("view", "AP", 9, 9),
        ("view", "PA", 31, 31),
    ]


def test_a_group_has_its_own_mean_and_the_difference_to_other_known_groups() -> None:
    row = of(found(), "sex", "F")
    inside, rest = (SCORES[:18], PATIENTS[:18]), (SCORES[18:38], PATIENTS[18:38])
    assert row.interval == interval_of_mean(*inside, RESAMPLING)
    assert row.difference == difference_of_columns(inside, rest, RESAMPLING)
    assert row.difference.estimate == pytest.approx(SCORES[:18].mean() - SCORES[18:38].mean())


def test_a_group_under_the_minimum_has_no_number_and_nothing_is_compared_with_it_alone() -> None:
    few, rest = of(found(), "view", "AP"), of(found(), "view", "PA")
    assert (few.too_few, few.interval, few.difference) == (True, (None,) * 3, (None,) * 4)
    assert (rest.too_few, rest.difference, rest.corrected_p) == (False, (None,) * 4, None)
    assert rest.interval.estimate == pytest.approx(SCORES[9:].mean())


def test_patients_count_towards_the_minimum_not_images() -> None:
    measured = means([1.0] * 18, PATIENTS[:9] * 2, RESAMPLING)
    twice = subgroups(measured, PATIENTS[:9] * 2, {"view": ["AP"] * 18})
    assert [(row.n, row.patients, row.too_few) for row in twice] == [(18, 9, True)]
    assert ENOUGH_PATIENTS == 10
    assert not subgroups(measured, PATIENTS[:9] * 2, {"v": ["AP"] * 18}, minimum=9)[0].too_few


def test_two_groups_are_one_comparison_and_more_are_corrected_within_their_attribute() -> None:
    rows = found()
    sex = [row for row in rows if row.attribute == "sex"]
    assert [row.corrected_p for row in sex] == [row.difference.p for row in sex]
    assert sex[0].difference.p == pytest.approx(sex[1].difference.p, abs=0.1)
    third = [str(number % 3) for number in range(40)]
    rows = subgroups(means(SCORES, PATIENTS, RESAMPLING), PATIENTS, {"sex": SEX, "third": third})
    three = [row for row in rows if row.attribute == "third"]
    assert [row.corrected_p for row in three] == holm([row.difference.p for row in three])


def test_shares_of_images_have_exact_intervals() -> None:
    hits = [1.0] * 3 + [0.0] * 15
    row = subgroups(shares(hits, PATIENTS[:18], RESAMPLING), PATIENTS[:18], {"sex": SEX[:18]})[0]
    assert row.interval == (pytest.approx(3 / 18), *clopper_pearson(3, 18, confidence=0.95))


def test_shares_of_groups_are_compared_by_fishers_exact_test() -> None:
    """3 of 12 against 10 of 12: hypergeometric by hand, both tails."""
    hits = [1.0] * 3 + [0.0] * 9 + [1.0] * 10 + [0.0] * 2
    groups = {"site": ["a"] * 12 + ["b"] * 12}
    row, other = subgroups(shares(hits, PATIENTS[:24], RESAMPLING), PATIENTS[:24], groups)
    chances = [comb(13, k) * comb(11, 12 - k) / comb(24, 12) for k in range(13)]
    by_hand = sum(chance for chance in chances if chance <= chances[3] * (1 + 1e-9))
    assert row.difference.p == other.difference.p == pytest.approx(by_hand)
    assert row.difference.estimate == pytest.approx(3 / 12 - 10 / 12)


def test_of_a_patient_with_several_images_the_first_counts_in_its_group() -> None:
    """Ten patients in a; ten in b, of whom each has a second image, all misses, half of them in a."""
    hits = np.array([1.0] * 4 + [0.0] * 6 + [1.0] * 9 + [0.0] + [0.0] * 10)
    patients = np.array([f"{n}" for n in (*range(10), *range(10, 20), *range(10, 20))])
    site = np.array(["a"] * 10 + ["b"] * 10 + ["a"] * 5 + ["b"] * 5)
    inside, rest = np.flatnonzero(site == "a"), np.flatnonzero(site == "b")
    assert fisher_p(hits, patients, inside, rest) == pytest.approx(fisher_exact([[4, 6], [9, 1]]).pvalue)
    moved = np.argsort(np.arange(30) < 20, kind="stable")  # second images first
    turned = fisher_p(hits[moved], patients[moved], *(np.flatnonzero(site[moved] == x) for x in "ab"))
    assert turned == pytest.approx(fisher_exact([[4, 11], [0, 5]]).pvalue)


def test_without_attributes_there_are_no_rows() -> None:
    measured = means(SCORES, PATIENTS, RESAMPLING)
    assert subgroups(measured, PATIENTS, {}) == []
    assert subgroups(measured, PATIENTS, {"sex": [""] * 40}) == []


def test_samples_of_other_images_and_groups_are_as_if_alone() -> None:
    whole = Sample(means(SCORES, PATIENTS, RESAMPLING), PATIENTS, {"sex": SEX, "view": VIEW})
    men = Sample(
        means(SCORES[18:], PATIENTS[18:], RESAMPLING), PATIENTS[18:], {"sex": SEX[18:], "view": VIEW[18:]}
    )
    none = Sample(means([], [], RESAMPLING), [], {"sex": [], "view": []})
    assert subgroups_together([whole, men, none]) == [
        found(),
        subgroups(men.measured, men.patients, men.attributes),
        [],
    ]
    assert subgroups_together([none]) == [[]]
    assert subgroups_together([]) == []


def test_patients_may_be_numbers_in_the_order_of_their_texts() -> None:
    numbers = np.arange(40, dtype=np.int32)
    for measure in (means, shares):
        values = np.round(SCORES)
        by_text = subgroups(measure(values, PATIENTS, RESAMPLING), PATIENTS, {"sex": SEX})
        assert subgroups(measure(values, numbers, RESAMPLING), numbers, {"sex": SEX}) == by_text

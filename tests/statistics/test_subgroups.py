import numpy as np
import pytest

from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import difference_of_columns, holm
from pipeline.statistics.intervals import interval_of_mean
from pipeline.statistics.proportions import clopper_pearson
from pipeline.statistics.subgroups import Subgroup, subgroups

RESAMPLING = Resampling(replicates=200)
PATIENTS = [f"{number:02}" for number in range(40)]
SEX = ["F"] * 18 + ["M"] * 20 + [""] * 2
VIEW = ["AP"] * 9 + ["PA"] * 31
SCORES = np.random.default_rng(0).random(40)


def of(rows: list[Subgroup], attribute: str, group: str) -> Subgroup:
    (row,) = (row for row in rows if (row.attribute, row.group) == (attribute, group))
    return row


def found() -> list[Subgroup]:
    return subgroups(SCORES, PATIENTS, {"sex": SEX, "view": VIEW}, RESAMPLING)


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
    twice = subgroups([1.0] * 18, PATIENTS[:9] * 2, {"view": ["AP"] * 18}, RESAMPLING)
    assert [(row.n, row.patients, row.too_few) for row in twice] == [(18, 9, True)]
    assert ENOUGH_PATIENTS == 10
    assert not subgroups([1.0] * 18, PATIENTS[:9] * 2, {"v": ["AP"] * 18}, RESAMPLING, minimum=9)[0].too_few


def test_p_values_are_corrected_for_the_number_of_comparisons_that_were_made() -> None:
    rows = found()
    assert [row.corrected_p for row in rows] == holm([row.difference.p for row in rows])
    p = of(rows, "sex", "F").difference.p
    assert p is not None
    assert of(rows, "sex", "F").corrected_p == pytest.approx(min(1, 2 * p))


def test_shares_of_images_have_exact_intervals() -> None:
    hits = [1.0] * 3 + [0.0] * 15
    row = subgroups(hits, PATIENTS[:18], {"sex": SEX[:18]}, RESAMPLING, binary=True)[0]
    assert row.interval == (pytest.approx(3 / 18), *clopper_pearson(3, 18, confidence=0.95))


def test_without_attributes_there_are_no_rows() -> None:
    assert subgroups(SCORES, PATIENTS, {}, RESAMPLING) == []
    assert subgroups(SCORES, PATIENTS, {"sex": [""] * 40}, RESAMPLING) == []

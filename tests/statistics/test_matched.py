"""Matched: outcomes of a few contours and lesions by hand."""

import numpy as np
import pytest

from pipeline.metrics.lesions import Rule
from pipeline.metrics.matching import Assignment
from pipeline.records import Candidates
from pipeline.statistics.matched import IOUS, Matched
from tests.statistics.lesions import matched_by

TWO = Candidates(
    "case1", "nodule", "anna", "gradcam", "mask", 2, (0.5, 0.9, 0.7),
    {"iou": ((0.45, 0.0), (0.2, 0.0), (0.0, 0.0))}, (0.1, 0.2), (10.0, 20.0),
)  # fmt: skip
"""The first two contours lie on the first lesion, the second of them is the surer; the third on none."""
HEALTHY = Candidates("case2", "nodule", "anna", "prior", "mask", 0, (0.4,), {"iou": ((),)})
ALL = np.arange(2)


def bits(*numbers: int) -> int:
    """Of the rules with these numbers."""
    return sum(1 << number for number in numbers)


def test_each_rule_has_its_bit() -> None:
    matched = matched_by(Rule("iou", 0.4), [(TWO, "p1"), (HEALTHY, "p2")])
    assert (
        [rule.threshold for rule in matched.rules] == [0.4, *IOUS] == [0.4, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    )
    contours, lesions = matched.contours(ALL), matched.lesions(ALL)
    # At 0.1 and 0.2 the surer contour takes the lesion; at 0.3 and 0.4 it does not reach it.
    assert contours.found.tolist() == [bits(0, 3, 4), bits(1, 2), 0, 0]
    assert contours.ignored.tolist() == [0, 0, 0, 0]
    assert lesions.found.tolist() == [bits(0, 1, 2, 3, 4), 0]


def test_a_lesion_found_before_is_ignored_where_many_contours_may_match_it() -> None:
    contours = matched_by(Rule("iou", 0.1, "many_to_one"), [(TWO, "p1")]).contours(ALL[:1])
    assert contours.found.tolist() == [bits(3, 4), bits(0, 1, 2), 0]
    assert contours.ignored.tolist() == [bits(0, 1, 2), 0, 0]


def test_rows_keep_their_place_case_and_key() -> None:
    matched = matched_by(Rule(), [(TWO, "p1"), (HEALTHY, "p2"), (TWO, "p1")])
    assert [(key[2], rows.tolist()) for key, rows in matched.by_key()] == [
        ("gradcam", [0, 2]),
        ("prior", [1]),
    ]
    rows = np.array([1, 2])
    assert matched.ids_of(rows) == ["case2", "case1"]
    assert (matched.units_of(rows), matched.lesion_counts(rows).tolist()) == (["p2", "p1"], [0, 2])
    contours, lesions = matched.contours(rows), matched.lesions(rows)
    assert (contours.row.tolist(), contours.number.tolist()) == ([0, 1, 1, 1], [1, 1, 2, 3])
    assert contours.score.tolist() == [0.4, 0.5, 0.9, 0.7]
    assert (lesions.row.tolist(), lesions.number.tolist()) == ([1, 1], [1, 2])
    assert (lesions.share.tolist(), lesions.area_mm2.tolist()) == ([0.1, 0.2], [10, 20])
    assert matched.rows_of(["prior"]).tolist() == [1]


@pytest.mark.parametrize("assignment", ["greedy", "many_to_one"])
def test_lesions_that_are_missed_come_before_contours_that_match_none(assignment: Assignment) -> None:
    matched = matched_by(Rule("iou", 0.1, assignment), [(TWO, "p1"), (HEALTHY, "p2")])
    second = [(0, True, 1)] if assignment == "greedy" else []
    found = zip(*matched.unmatched(ALL), strict=True)
    assert list(found) == [(0, False, 2), *second, (0, True, 3), (1, True, 1)]


def test_units_are_merged() -> None:
    matched = matched_by(Rule(), [(TWO, "p1"), (HEALTHY, "p2")])
    matched.cases.merge({"p1": "p1", "p2": "p1"})
    assert matched.units_of(ALL) == ["p1", "p1"]


def test_an_empty_table_has_no_rows() -> None:
    matched = Matched.by(Rule())
    assert list(matched.by_key()) == []
    assert len(matched.unmatched(matched.rows_of(["gradcam"])).row) == 0


def test_tables_are_joined() -> None:
    whole = matched_by(Rule(), [(HEALTHY, "p2"), (TWO, "p1"), (HEALTHY, "p2")])
    joined = matched_by(Rule(), [(HEALTHY, "p2")])
    joined.extend(matched_by(Rule(), [(TWO, ""), (HEALTHY, "")]), {"case1": "p1", "case2": "p2"})
    rows = np.arange(3)
    assert joined.keys_of(rows) == whole.keys_of(rows)
    assert joined.units_of(rows) == whole.units_of(rows) == ["p2", "p1", "p2"]
    for of in ("contours", "lesions"):
        for one, other in zip(getattr(joined, of)(rows), getattr(whole, of)(rows), strict=True):
            np.testing.assert_array_equal(one, other)

"""Policy: which limits a run keeps, by the estimate and by its interval."""

from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import Policy
from pipeline.records import Summary
from pipeline.statistics.policy import LIMITS, LimitedResult, apply_policy, outcome

SKILL = {
    "finding": "nodule", "reader": "anna", "method": "gradcam", "metric": "hit", "measure": "skill", "n": 9,
    "patients": 9, "estimate": -0.5, "low": -0.9, "high": -0.1,
}  # fmt: skip


def summary(
    metric: str, estimate: float | None, *, reader: str = "anna", n: int = 9, **changes: Any
) -> Summary:
    bounds = (None, None) if estimate is None else (estimate - 0.1, estimate + 0.1)
    return Summary("nodule", reader, changes.get("method", "gradcam"), metric, n, {}, 20, estimate, *bounds)


def outcomes(*summaries: Summary, **limits: float) -> list[tuple[object, object, object]]:
    rows = apply_policy(limits, findings=["nodule"], method="gradcam", summaries=summaries, skills=[SKILL])
    return [(row["rule"], row["metric"], row["outcome"]) for row in rows]


@pytest.mark.parametrize(
    ("limit", "wanted"), [(0.39, "pass"), (0.4, "pass"), (0.45, "warn"), (0.5, "warn"), (0.51, "fail")]
)
def test_the_interval_passes_the_estimate_warns(limit: float, wanted: str) -> None:
    assert outcome(LimitedResult("f", "r", "hit", 9, 9, 0.5, 0.4, 0.6), limit, "least") == wanted


@pytest.mark.parametrize(("limit", "wanted"), [(0.6, "pass"), (0.55, "warn"), (0.49, "fail")])
def test_where_less_is_better_the_upper_bound_decides(limit: float, wanted: str) -> None:
    found = LimitedResult("f", "r", "contour_on_healthy", 9, 9, 0.5, 0.4, 0.6)
    assert outcome(found, limit, "most") == wanted


@pytest.mark.parametrize("estimate", [0.0, 1.0])
@pytest.mark.parametrize(("patients", "wanted"), [(3, "unknown"), (9, "unknown"), (10, None)])
def test_without_an_interval_few_patients_decide_nothing(
    patients: int, wanted: str | None, estimate: float
) -> None:
    found = LimitedResult("f", "r", "iou", 30, patients, estimate, None, None)
    assert outcome(found, 0.5, "least") == (wanted or ("warn" if estimate else "fail"))


def test_few_patients_with_an_interval_are_compared() -> None:
    assert outcome(LimitedResult("f", "r", "hit", 3, 3, 0.0, 0.0, 0.3), 0.5, "least") == "fail"


def because(limits: dict[str, float], summaries: list[Summary], skills: list[dict[str, Any]]) -> str:
    (row,) = apply_policy(limits, findings=["nodule"], method="gradcam", summaries=summaries, skills=skills)
    assert row["outcome"] == "unknown"
    return str(row["because"])


def test_what_is_unknown_says_why() -> None:
    few = replace(summary("iou", 0.1), patients=3, low=None, high=None)
    assert because({"min_iou": 0.2}, [few], []) == "too_few"
    assert because({"min_iou": 0.2}, [], []) == "not_annotated"
    assert because({"min_auroc": 0.8}, [], []) == "not_labelled"
    none = replace(summary("auroc", None, method="classifier", reader="labels"), n=0)
    assert because({"min_auroc": 0.8}, [replace(none, undefined={"single_class": 9})], []) == "single_class"
    assert because({"min_iou": 0.2}, [replace(summary("iou", None), undefined={"no_map": 9})], []) == "no_map"
    assert because({"min_skill": 0.1}, [summary("hit", 0.5)], []) == "no_scale"
    assert because({"min_skill": 0.1}, [], []) == "not_annotated"


def test_boxes_answer_where_there_are_no_masks() -> None:
    assert outcomes(summary("box_hit", 0.8), min_hit_rate=0.5) == [("min_hit_rate", "box_hit", "pass")]
    both = (summary("box_hit", 0.8), summary("hit", 0.2))
    assert outcomes(*both, min_hit_rate=0.5) == [("min_hit_rate", "hit", "fail")]


def test_the_reader_with_most_images_decides() -> None:
    rows = (summary("hit", 0.9, reader="anna"), summary("hit", 0.1, reader="ben", n=10))
    assert outcomes(*rows, min_hit_rate=0.5) == [("min_hit_rate", "hit", "fail")]


def test_baselines_do_not_answer_for_the_network() -> None:
    assert outcomes(summary("hit", 0.9, method="location_prior"), min_hit_rate=0.5) == [
        ("min_hit_rate", "", "unknown")
    ]


def test_an_undefined_number_is_unknown_and_a_limit_that_is_not_set_has_no_row() -> None:
    assert outcomes(summary("iou", None), min_iou=0.2) == [("min_iou", "", "unknown")]
    rows = apply_policy(Policy().limits, findings=["nodule"], method="gradcam", summaries=[], skills=[])
    assert list(rows) == []


def test_skill_is_that_of_pointing() -> None:
    assert outcomes(min_skill=0.0) == [("min_skill", "hit", "fail")]


def test_every_limit_of_the_config_is_known() -> None:
    assert Policy().limits.keys() == LIMITS.keys()


def test_what_is_unknown_has_a_row_without_numbers() -> None:
    (row,) = apply_policy({"min_iou": 0.2}, findings=["nodule"], method="gradcam", summaries=[], skills=[])
    assert row == {
        "finding": "nodule", "rule": "min_iou", "limit": 0.2, "metric": "", "reader": "", "n": 0,
        "estimate": None, "low": None, "high": None, "outcome": "unknown", "because": "not_annotated",
    }  # fmt: skip


def test_a_row_shows_what_was_compared_with_the_limit() -> None:
    summaries = [summary("iou", 0.5, reader="ben", n=12)]
    (row,) = apply_policy(
        {"min_iou": 0.2}, findings=["nodule"], method="gradcam", summaries=summaries, skills=[]
    )
    assert row == {
        "finding": "nodule", "rule": "min_iou", "limit": 0.2, "metric": "iou", "reader": "ben", "n": 12,
        "estimate": 0.5, "low": 0.4, "high": 0.6, "outcome": "pass", "because": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"measure": "share_of_readers"}, {"method": "layercam"}, {"estimate": None}]
)
def test_nothing_else_of_the_skills_table_is_skill(other: dict[str, Any]) -> None:
    limits = {"min_skill": 0.0}
    rows = apply_policy(limits, findings=["nodule"], method="gradcam", summaries=[], skills=[SKILL | other])
    assert [row["outcome"] for row in rows] == ["unknown"]


def test_skill_is_not_compared_with_limits_of_scores_nor_scores_with_that_of_skill() -> None:
    better = SKILL | {"estimate": 0.9, "low": 0.8}
    limits = {"min_hit_rate": 0.5, "min_skill": 0.5}
    rows = apply_policy(
        limits, findings=["nodule"], method="gradcam", summaries=[summary("hit", 0.1)], skills=[better]
    )
    assert {row["rule"]: row["outcome"] for row in rows} == {"min_hit_rate": "fail", "min_skill": "pass"}


def test_the_classifier_answers_for_auroc() -> None:
    rows = (summary("auroc", 0.9, method="classifier", reader="labels"),)
    assert outcomes(*rows, min_auroc=0.7) == [("min_auroc", "auroc", "pass")]
    assert outcomes(*rows, min_auroc=0.95) == [("min_auroc", "auroc", "fail")]


def test_of_readers_with_as_many_images_the_first_by_name_decides() -> None:
    rows = (summary("hit", 0.9, reader="ben"), summary("hit", 0.1, reader="anna"))
    assert outcomes(*rows, min_hit_rate=0.5) == [("min_hit_rate", "hit", "fail")]


def test_every_finding_is_compared_with_every_limit_that_is_set() -> None:
    limits = {"min_iou": 0.2, "min_auroc": None, "max_on_healthy": 0.5}
    of = [summary("contour_on_healthy", 0.3), replace(summary("iou", 0.9), finding="mass")]
    rows = apply_policy(limits, findings=["nodule", "mass"], method="gradcam", summaries=of, skills=[])
    assert [(row["finding"], row["rule"], row["outcome"]) for row in rows] == [
        ("nodule", "min_iou", "unknown"),
        ("nodule", "max_on_healthy", "pass"),
        ("mass", "min_iou", "pass"),
        ("mass", "max_on_healthy", "unknown"),
    ]

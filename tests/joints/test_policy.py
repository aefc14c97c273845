"""Policy: which limits a run keeps, by the estimate and by its interval."""

from typing import Any

import pytest

from pipeline.config import Policy
from pipeline.joints.policy import LIMITS, Measured, judged, outcome
from pipeline.records import Summary

SKILL = {
    "finding": "nodule", "reader": "anna", "method": "gradcam", "metric": "hit", "measure": "skill", "n": 9,
    "estimate": -0.5, "low": -0.9, "high": -0.1,
}  # fmt: skip


def summary(
    metric: str, estimate: float | None, *, reader: str = "anna", n: int = 9, **changes: Any
) -> Summary:
    bounds = (None, None) if estimate is None else (estimate - 0.1, estimate + 0.1)
    return Summary("nodule", reader, changes.get("method", "gradcam"), metric, n, {}, n, estimate, *bounds)


def outcomes(*summaries: Summary, **limits: float) -> list[tuple[object, object, object]]:
    rows = judged(limits, findings=["nodule"], method="gradcam", summaries=summaries, skills=[SKILL])
    return [(row["rule"], row["metric"], row["outcome"]) for row in rows]


@pytest.mark.parametrize(
    ("limit", "wanted"), [(0.39, "pass"), (0.4, "pass"), (0.45, "warn"), (0.5, "warn"), (0.51, "fail")]
)
def test_the_interval_passes_the_estimate_warns(limit: float, wanted: str) -> None:
    assert outcome(Measured("f", "r", "hit", 9, 0.5, 0.4, 0.6), limit, "least") == wanted


@pytest.mark.parametrize(("limit", "wanted"), [(0.6, "pass"), (0.55, "warn"), (0.49, "fail")])
def test_where_less_is_better_the_upper_bound_decides(limit: float, wanted: str) -> None:
    assert outcome(Measured("f", "r", "contour_on_healthy", 9, 0.5, 0.4, 0.6), limit, "most") == wanted


def test_without_an_interval_nothing_passes() -> None:
    assert outcome(Measured("f", "r", "hit", 1, 1.0, None, None), 0.5, "least") == "warn"


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
    rows = judged(Policy().limits, findings=["nodule"], method="gradcam", summaries=[], skills=[])
    assert list(rows) == []


def test_skill_is_that_of_pointing() -> None:
    assert outcomes(min_skill=0.0) == [("min_skill", "hit", "fail")]


def test_every_limit_of_the_config_is_known() -> None:
    assert Policy().limits.keys() == LIMITS.keys()

"""Verdict: what the network is compared with, and where a finding stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipeline.records import Summary
from pipeline.statistics.verdict import Evidence, VerdictRow, differs, standing_of, verdict_rows, verdicts

Rows = Sequence[Summary]


def row(method: str, metric: str, estimate: float | None, **facts: Any) -> Summary:
    given = {"reader": "anna", "n": 40, "patients": 30, "finding": "nodule", "low": 0.1, "high": 0.9, **facts}
    return Summary(method=method, metric=metric, undefined={}, estimate=estimate, **given)


def paired(metric: str, difference: float, p: float | None, **facts: Any) -> dict[str, Any]:
    """A row of comparisons.csv."""
    return {
        "finding": "nodule", "reader": "anna", "metric": metric, "first": "gradcam", "second": "prior",
        "patients": 30, "difference": difference, "difference_low": difference - 0.25,
        "difference_high": difference + 0.25, "corrected_p": p, **facts,
    }  # fmt: skip


def judged(
    *rows: Summary,
    comparisons: Sequence[Mapping[str, Any]] = (),
    methods: Sequence[str] = ("gradcam",),
    baselines: Sequence[str] = ("prior", "centre"),
) -> list[VerdictRow]:
    return verdict_rows(Evidence(rows, comparisons, methods, baselines), ["nodule"])


def only(rows: Sequence[VerdictRow]) -> VerdictRow:
    (found,) = rows
    return found


HIT = row("gradcam", "hit", 0.5)
PRIOR = row("prior", "hit", 0.25)


@pytest.mark.parametrize(
    ("difference", "p", "patients", "standing"),
    [
        (0.2, 0.05, 10, "better"),
        (-0.2, 0.05, 10, "worse"),
        (0.2, 0.051, 10, "no_better"),
        (-0.2, 0.051, 10, "no_better"),
        (0.2, 0.05, 9, "unknown"),
        (0.2, None, 10, "unknown"),
    ],
)
def test_a_method_is_better_or_worse_only_where_that_is_shown(
    difference: float, p: float | None, patients: int, standing: str
) -> None:
    assert standing_of(paired("hit", difference, p, patients=patients)) == standing


def test_no_difference_is_never_reported_as_better() -> None:
    """Rows and patients may weigh differently: the sign test can be sure where the means are the same."""
    assert standing_of(paired("hit", 0.0, 0.01)) != "better"


def test_a_comparison_that_was_not_made_tells_nothing() -> None:
    assert standing_of(None) == "unknown"


@pytest.mark.parametrize(("p", "shown"), [(0.05, 1), (0.051, 0), (None, None)])
def test_a_difference_is_reported_at_p_values_up_to_one_in_twenty(p: float | None, shown: int | None) -> None:
    assert differs({"corrected_p": p}) == shown


def test_a_row_holds_every_number_that_its_answer_rests_on() -> None:
    found = only(
        judged(
            row("gradcam", "hit", 0.5, n=41, patients=31, low=0.4, high=0.6),
            row("prior", "hit", 0.25, n=42, patients=32, low=0.2, high=0.3),
            comparisons=[paired("hit", 0.25, 0.01)],
        )
    )
    assert found == VerdictRow(
        finding="nodule", verdict="better", question="pointing", standing="better", reader="anna", readers=1,
        method="gradcam", metric="hit", n=41, patients=31, estimate=0.5, low=0.4, high=0.6, baseline="prior",
        baseline_n=42, baseline_estimate=0.25, baseline_low=0.2, baseline_high=0.3, difference=0.25,
        difference_low=0.0, difference_high=0.5, corrected_p=0.01, readers_estimate=None,
    )  # fmt: skip


def test_the_strongest_baseline_is_the_one_to_beat_and_networks_and_readers_are_none() -> None:
    found = only(
        judged(
            HIT,
            PRIOR,
            row("centre", "hit", 0.375),
            row("layercam", "hit", 0.75),
            row("reader ben", "hit", 1.0),
            row("classifier", "hit", 1.0),
        )
    )
    assert (found.baseline, found.baseline_estimate) == ("centre", 0.375)


def test_a_baseline_is_of_the_same_metric_reader_and_finding() -> None:
    others = [{"metric": "iou"}, {"reader": "ben"}, {"finding": "mass"}]
    rows = (row(**{"method": "prior", "metric": "hit", "estimate": 0.9, **other}) for other in others)
    found = only(judged(HIT, *rows))
    assert (found.baseline, found.baseline_n, found.standing) == ("", None, "unknown")
    assert (found.baseline_estimate, found.baseline_low, found.baseline_high) == (None, None, None)


def test_a_baseline_that_is_never_right_is_one_and_an_undefined_one_is_none() -> None:
    found = only(judged(HIT, row("prior", "hit", 0.0), row("centre", "hit", None)))
    assert (found.baseline, found.baseline_estimate) == ("prior", 0.0)
    assert only(judged(HIT, row("prior", "hit", None))).baseline == ""


@pytest.mark.parametrize("key", ["finding", "reader", "metric", "first", "second"])
def test_a_comparison_of_anything_else_is_not_that_of_the_two(key: str) -> None:
    right = paired("hit", 0.25, 0.01)
    assert only(judged(HIT, PRIOR, comparisons=[right])).standing == "better"
    other = only(judged(HIT, PRIOR, comparisons=[right | {key: "another"}]))
    assert (other.standing, other.difference, other.corrected_p) == ("unknown", None, None)


def test_the_reader_of_the_most_images_is_answered_and_all_with_a_number_are_counted() -> None:
    found = only(
        judged(
            HIT,
            row("gradcam", "hit", 0.75, reader="ben", n=41),
            row("gradcam", "hit", None, reader="eva", n=0),
            row("gradcam", "iou", 0.75, reader="ida", n=41, finding="mass"),
            row("prior", "hit", 0.25, reader="ben"),
        )
    )
    assert (found.reader, found.estimate, found.readers, found.baseline) == ("ben", 0.75, 2, "prior")


def test_masks_answer_before_boxes_and_boxes_before_points() -> None:
    points, boxes = row("gradcam", "point_hit", 0.125), row("gradcam", "box_hit", 0.25)
    assert only(judged(points)).metric == "point_hit"
    assert only(judged(points, boxes)).metric == "box_hit"
    assert only(judged(points, boxes, HIT)).metric == "hit"


IOU = (row("gradcam", "iou", 0.5), row("prior", "iou", 0.25))


@pytest.mark.parametrize(
    ("pointing", "contours", "verdict"),
    [
        ((0.2, 0.01), (0.2, 0.01), "better"),
        ((0.2, 0.01), (0.2, 0.9), "no_better"),
        ((-0.2, 0.01), (0.2, 0.9), "worse"),
        ((0.2, 0.9), (-0.2, 0.01), "no_better"),
        ((0.2, 0.01), (-0.2, 0.01), "no_better"),
        ((0.2, None), (-0.2, 0.01), "no_better"),
        ((-0.2, 0.01), (-0.2, 0.01), "worse"),
        ((0.2, None), (0.2, 0.01), "better"),
        ((0.2, None), (0.2, None), "unknown"),
    ],
)
def test_a_finding_stands_where_its_least_favourable_question_stands(
    pointing: tuple[float, float | None], contours: tuple[float, float | None], verdict: str
) -> None:
    found = judged(HIT, PRIOR, *IOU, comparisons=[paired("hit", *pointing), paired("iou", *contours)])
    assert [one.question for one in found] == ["pointing", "contours"]
    assert {one.verdict for one in found} == {verdict}
    assert verdicts(found) == {"nodule": verdict}


def test_contours_alone_are_worse_where_nothing_points() -> None:
    found = only(judged(*IOU, comparisons=[paired("iou", -0.2, 0.01)]))
    assert (found.question, found.standing, found.verdict) == ("contours", "worse", "worse")


def auroc(estimate: float | None, low: float | None, high: float | None) -> Summary:
    return row("classifier", "auroc", estimate, low=low, high=high, reader="labels")


@pytest.mark.parametrize(
    ("area", "standing", "because"),
    [
        ((0.9, 0.8, 0.95), "better", ""),
        ((0.65, 0.51, 0.8), "better", ""),
        ((0.65, 0.5, 0.8), "unknown", "auroc_uncertain"),
        ((0.7, None, None), "unknown", "auroc_uncertain"),
        ((0.6, 0.55, 0.65), "better", ""),
        ((0.59, 0.55, 0.65), "unknown", "auroc_low"),
        ((0.39, 0.2, 0.49), "unknown", "auroc_turned"),
        ((0.39, 0.2, 0.5), "unknown", "auroc_low"),
        ((0.4, 0.35, 0.45), "unknown", "auroc_low"),
        ((None, None, None), "better", ""),
    ],
)
def test_no_map_is_better_whose_output_is_not_shown_to_tell_the_finding(
    area: tuple[float | None, ...], standing: str, because: str
) -> None:
    better = [paired("hit", 0.25, 0.01), paired("iou", 0.25, 0.01)]
    found = judged(HIT, PRIOR, *IOU, auroc(*area), comparisons=better)
    assert {(one.standing, one.because, one.verdict) for one in found} == {(standing, because, standing)}


def test_an_uncertain_area_takes_back_praise_alone() -> None:
    """What is worse than a fixed map stays so; of an output at chance nothing at all is told."""
    worse = [paired("hit", -0.25, 0.01)]
    found = only(judged(HIT, PRIOR, auroc(0.7, 0.45, 0.9), comparisons=worse))
    assert (found.standing, found.because) == ("worse", "")
    found = only(judged(HIT, PRIOR, auroc(0.5, 0.45, 0.55), comparisons=worse))
    assert (found.standing, found.because) == ("unknown", "auroc_low")


def test_the_area_is_that_of_the_finding() -> None:
    other = row("classifier", "auroc", 0.5, reader="labels", finding="mass")
    assert only(judged(HIT, PRIOR, other, comparisons=[paired("hit", 0.25, 0.01)])).because == ""


@pytest.mark.parametrize(
    ("fixed", "reached", "high", "told"),
    [
        ("location_prior", 0.9, 0.9, ("no_better", "same_place")),
        ("center_prior", 1.0, 0.5, ("no_better", "same_place")),
        ("location_prior", 0.89, 0.9, ("worse", "")),
        ("random", 0.95, 0.9, ("worse", "")),
        ("location_prior", 0.95, 0.49, ("worse", "same_place")),
    ],
)
def test_what_a_fixed_mask_hits_always_does_not_accuse_a_network_that_hits_it_often(
    fixed: str, reached: float, high: float, told: tuple[str, str]
) -> None:
    network = row("gradcam", "hit", 0.4, low=0.3, high=high)
    found = only(
        judged(
            network,
            row(fixed, "hit", reached),
            comparisons=[paired("hit", -0.2, 0.01, second=fixed)],
            baselines=("location_prior", "center_prior", "random"),
        )
    )
    assert (found.standing, found.because) == told
    assert found.verdict == told[0]


def test_a_finding_without_a_score_is_unknown_and_has_a_row_that_says_so() -> None:
    for rows in ((), (row("gradcam", "hit", None),), (row("classifier", "auroc", 0.9),)):
        assert only(judged(*rows)) == VerdictRow("nodule", "unknown", "pointing", "unknown")
    assert only(judged(HIT, methods=())).standing == "unknown"


def test_what_no_number_stands_for_is_counted_as_none() -> None:
    empty = only(judged())
    assert (empty.readers, empty.n, empty.patients, empty.estimate) == (0, 0, 0, None)
    *_, reported = judged(HIT, row("gradcam", "contour_on_healthy", 0.5))
    assert (reported.question, reported.readers) == (
        "absent",
        0,
    )  # how many readers is said where it is judged


def test_findings_come_in_their_order_and_each_has_its_verdict() -> None:
    evidence = Evidence([HIT, PRIOR], [paired("hit", 0.2, 0.01)], ["gradcam"], ["prior"])
    rows = verdict_rows(evidence, ["mass", "nodule"])
    assert [(one.finding, one.verdict) for one in rows] == [("mass", "unknown"), ("nodule", "better")]
    assert verdicts(rows) == {"mass": "unknown", "nodule": "better"}


def test_other_readers_agreement_is_the_mean_over_their_images() -> None:
    readers = [row("reader ben", "hit", 0.8, n=30), row("reader eva", "hit", 0.6, n=10)]
    others = [row("reader ida", "hit", 0.1, reader="ben"), row("reader ida", "iou", 0.1)]
    assert only(judged(HIT, *readers, row("reader ida", "hit", None, n=9), *others)).readers_estimate == (
        pytest.approx((0.8 * 30 + 0.6 * 10) / 40)
    )


def test_other_maps_are_reported_by_how_they_point_and_not_judged() -> None:
    others = (
        row("lrp", "hit", 0.75),
        row("layercam", "iou", 0.75),
        row("layercam", "hit", 0.5, reader="ben"),
    )
    judgement, reported = judged(HIT, *others, methods=("gradcam", "layercam", "lrp"))
    assert (reported.question, reported.method, reported.estimate) == ("other_map", "lrp", 0.75)
    assert (reported.standing, reported.baseline) == (None, "")
    assert judgement.verdict == reported.verdict == "unknown"


def test_other_maps_are_reported_in_their_order_by_the_first_pointing_metric() -> None:
    found = judged(
        row("gradcam", "box_hit", 0.5), row("lrp", "box_hit", 0.25), row("layercam", "box_hit", 0.75),
        methods=("gradcam", "layercam", "lrp"),
    )  # fmt: skip
    assert [one.method for one in found if one.question == "other_map"] == ["layercam", "lrp"]


def test_contours_where_the_finding_is_absent_are_reported_last() -> None:
    absent = row("gradcam", "contour_on_healthy", 0.125, n=20)
    found = judged(HIT, PRIOR, absent, row("prior", "contour_on_healthy", 0.75))
    assert [(one.question, one.standing) for one in found] == [("pointing", "unknown"), ("absent", None)]
    assert (found[-1].method, found[-1].estimate, found[-1].n, found[-1].verdict) == (
        "gradcam",
        0.125,
        20,
        "unknown",
    )


def test_the_strongest_of_two_weak_baselines_is_the_one_that_is_ever_right() -> None:
    assert only(judged(HIT, PRIOR, row("centre", "hit", 0.0))).baseline == "prior"
    assert only(judged(HIT, row("prior", "hit", 0.0), row("centre", "hit", 0.125))).baseline == "centre"

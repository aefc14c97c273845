from dataclasses import replace

import numpy as np
import pytest

from pipeline.metrics.lesions import Rule
from pipeline.records import Candidates, Summary
from pipeline.statistics.bootstrap import Replicated, Resampling
from pipeline.statistics.comparison import difference
from pipeline.statistics.lesion_summaries import (
    LESION_MEASURES,
    lesion_summaries,
    replicated_lesions,
    scored_alike,
)
from tests.statistics.lesions import matched_by

PRESENT = Candidates(
    "case1", "nodule", "anna", "gradcam", "mask", 2, (0.9, 0.6), {"iou": ((0.35, 0.0), (0.0, 0.15))}
)
"""Two lesions, drawn at an IoU of 0.35 and 0.15."""
RULE = Rule("iou", 0.3)
HEALTHY = Candidates("case2", "nodule", "anna", "gradcam", "mask", 0, (0.7,), {"iou": ((),)})


def summaries(
    *cases: tuple[Candidates, str], rule: Rule = RULE, interval: str = "percentile"
) -> list[Summary]:
    return lesion_summaries(
        matched_by(rule, cases),
        findings=("effusion", "nodule"),
        resampling=Resampling(replicates=200, interval=interval),  # type: ignore[arg-type]
    )


def estimates(*cases: tuple[Candidates, str], rule: Rule = RULE) -> dict[str, float | None]:
    return {row.metric: row.estimate for row in summaries(*cases, rule=rule)}


def test_every_measure_by_hand() -> None:
    # Sorted: 0.9 (IoU 0.35), 0.7 (nothing there), 0.6 (IoU 0.15). At IoU 0.1 both are found, and precision is
    # 1 and then 2/3; from 0.2 to 0.3 the first alone; from 0.4 none.
    expected = {
        "lesion_recall_iou_0.1": 1,
        "lesion_recall_iou_0.3": 0.5,
        "lesion_recall_iou_0.5": 0,
        **{f"lesion_froc_{rate:g}": 0.5 for rate in (0.125, 0.25, 0.5, 1, 2, 4, 8)},
        "lesion_froc_mean": 0.5,
        "lesion_ap_iou_0.1": 0.5 * 1 + 0.5 * 2 / 3,
        "lesion_ap_iou_0.2": 0.5,
        "lesion_ap_iou_0.3": 0.5,
        **{f"lesion_ap_iou_0.{tenth}": 0 for tenth in (4, 5, 6, 7)},
        "lesion_ap_mean": (5 / 6 + 0.5 + 0.5) / 7,
    }
    assert estimates((PRESENT, "a"), (HEALTHY, "b")) == pytest.approx(expected)


def test_froc_matches_by_the_rule() -> None:
    found = estimates((PRESENT, "a"), (HEALTHY, "b"), rule=Rule("iou", 0.1))
    assert (found["lesion_froc_0.125"], found["lesion_froc_0.5"]) == (0.5, 1)
    assert found["lesion_froc_mean"] == pytest.approx((2 * 0.5 + 5 * 1) / 7)


def test_rows_count_lesions_and_patients_and_say_which_reader_and_method() -> None:
    row = summaries((PRESENT, "a"), (HEALTHY, "b"))[0]
    assert (row.finding, row.reader, row.method, row.n, row.patients, row.undefined) == (
        "nodule",
        "anna",
        "gradcam",
        2,
        2,
        {},
    )


def test_without_lesions_there_is_no_number() -> None:
    rows = summaries((HEALTHY, "b"))
    assert {(row.n, row.estimate, row.low) for row in rows} == {(0, None, None)}
    assert rows[0].undefined == {"healthy": 1}


def test_masks_boxes_points_readers_and_findings_are_kept_apart() -> None:
    others = [
        replace(PRESENT, kind="box"),
        replace(PRESENT, kind="point"),
        replace(PRESENT, kind="polygon", reader="ben"),  # a mask known by its outline
        replace(PRESENT, reader="ben"),
        replace(PRESENT, finding="effusion"),
        replace(PRESENT, method="prior"),
        PRESENT,
    ]
    rows = summaries(*((case, "a") for case in others))
    keys = dict.fromkeys(
        (row.finding, row.reader, row.method, row.metric.partition("lesion")[0]) for row in rows
    )
    assert list(keys) == [
        ("effusion", "anna", "gradcam", ""),
        ("nodule", "anna", "gradcam", "box_"),
        ("nodule", "anna", "gradcam", ""),
        ("nodule", "anna", "gradcam", "point_"),
        ("nodule", "anna", "prior", ""),
        ("nodule", "ben", "gradcam", ""),
    ]
    assert {row.metric for row in rows} == set(LESION_MEASURES)


def many(seed: int) -> list[tuple[Candidates, str]]:
    generator = np.random.default_rng(seed)
    cases = []
    for number in range(40):
        contours, lesions = int(generator.integers(0, 4)), int(generator.integers(0, 3))
        table = generator.random((contours, lesions)).tolist()
        cases.append(
            (
                replace(
                    PRESENT,
                    case_id=str(number),
                    lesions=lesions,
                    scores=tuple(generator.random(contours)),
                    affinity={"iou": tuple(map(tuple, table))},
                ),
                f"{number // 2:02}",
            )
        )
    return cases


@pytest.mark.parametrize("interval", ["percentile", "expanded"])
def test_intervals_hold_their_estimates_and_the_order_of_cases_does_not_matter(interval: str) -> None:
    rows = summaries(*many(0), interval=interval)
    for row in rows:
        assert row.low is not None
        assert row.high is not None
        assert row.estimate is not None
        assert 0 <= row.low <= row.estimate <= row.high <= 1
    assert rows == summaries(*many(0)[::-1], interval=interval)


def test_an_interval_equals_an_explicit_loop_over_drawn_patients() -> None:
    cases = many(1)
    patients = sorted({patient for _, patient in cases})
    draws = []
    for drawn in np.random.default_rng(0).integers(20, size=(200, 20)):
        chosen = [
            (case, f"{place} {patient}")
            for place, patient in enumerate(patients[i] for i in drawn)
            for case, of in cases
            if of == patient
        ]
        draws.append([estimates(*chosen)[name] for name in ("lesion_froc_1", "lesion_ap_mean")])
    expected = np.quantile(np.array(draws), [0.025, 0.975], axis=0).T
    rows = {row.metric: (row.low, row.high) for row in summaries(*cases)}
    assert rows["lesion_froc_1"] == pytest.approx(tuple(expected[0]))
    assert rows["lesion_ap_mean"] == pytest.approx(tuple(expected[1]))


def test_two_methods_are_compared_on_the_same_draws() -> None:
    cases = many(2)
    worse = [(replace(case, affinity={"iou": halved(case)}), patient) for case, patient in cases]
    resampling = Resampling(replicates=200)
    one, other = (replicated(found, resampling) for found in (cases, worse))
    names = [name for name in LESION_MEASURES if name.startswith("lesion_")]
    apart = dict(zip(names, difference(one, other, resampling), strict=True))
    same = difference(one, one, resampling)
    assert {(row.estimate, row.p) for row in same} == {(0, 1)}
    precision = apart["lesion_ap_mean"]
    assert precision.estimate == pytest.approx(
        estimates(*cases)["lesion_ap_mean"] - estimates(*worse)["lesion_ap_mean"]  # type: ignore[operator]
    )
    assert precision.p is not None
    assert precision.p < 0.05


def replicated(cases: list[tuple[Candidates, str]], resampling: Resampling) -> Replicated:
    """All cases together, which are of one finding, reader and method."""
    matched = matched_by(RULE, cases)
    return replicated_lesions(matched, scored_alike(matched).values(), resampling)[0]


def halved(case: Candidates) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(value / 2 for value in row) for row in case.affinity["iou"])


def test_the_recall_of_one_lesion_a_patient_has_its_exact_interval() -> None:
    found = replace(PRESENT, lesions=1, scores=(0.9,), affinity={"iou": ((0.35,),)})
    rows = summaries(*((replace(found, case_id=f"c{n}"), f"p{n}") for n in range(12)))
    recall = next(row for row in rows if row.metric == "lesion_recall_iou_0.3")
    assert (recall.estimate, recall.low, recall.high) == (1, pytest.approx(0.025 ** (1 / 12)), 1)


def test_findings_come_as_given_and_others_behind_them() -> None:
    cases = [(replace(PRESENT, finding=finding), "a") for finding in ("aorta", "nodule", "effusion")]
    rows = lesion_summaries(
        matched_by(RULE, cases), findings=("nodule", "effusion"), resampling=Resampling(replicates=5)
    )
    assert list(dict.fromkeys(row.finding for row in rows)) == ["nodule", "effusion", "aorta"]

import pytest

from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Score, Summary
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.proportions import clopper_pearson
from pipeline.statistics.summaries import columns_of, summarise
from tests.metrics.samples import boxes, drawing, mask, masks
from tests.statistics.frames import scores_frame

LESION = mask("##.")


def score(
    finding: str, value: float | str, *, metric: str = "iou", reader: str = "r1", method: str = "m"
) -> Score:
    if isinstance(value, str):
        return Score("case", finding, reader, method, metric, value=None, undefined_because=value)
    return Score("case", finding, reader, method, metric, value=value)


def summaries(*scores: tuple[Score, str]) -> list[Summary]:
    return summarise(
        columns_of(scores_frame(scores)),
        findings=("nodule", "effusion"),
        resampling=Resampling(replicates=100, interval="percentile"),
    )


def test_values_are_averaged_and_undefined_ones_counted_by_their_reason() -> None:
    (row,) = summaries(
        (score("nodule", 0.2), "a"),
        (score("nodule", 0.4), "a"),
        (score("nodule", 0.9), "b"),
        (score("nodule", "healthy"), "c"),
        (score("nodule", "not_annotated"), "d"),
        (score("nodule", "healthy"), "e"),
    )
    assert (row.n, row.patients, row.undefined) == (3, 2, {"healthy": 2, "not_annotated": 1})
    assert row.estimate == pytest.approx(0.5)
    # Drawn are a and a, a and b, or b and b: means 0.3, 0.5 and 0.9.
    assert (row.low, row.high) == pytest.approx((0.3, 0.9))


def test_one_finding_has_no_row_for_all() -> None:
    assert [row.finding for row in summaries((score("nodule", 1.0), "a"))] == ["nodule"]


def test_over_all_findings_scores_are_averaged_not_findings() -> None:
    rows = summaries(
        (score("nodule", 1.0), "a"),
        (score("nodule", 1.0), "b"),
        (score("nodule", 1.0), "c"),
        (score("effusion", 0.0), "a"),
        (score("effusion", "healthy"), "d"),
    )
    assert [row.finding for row in rows] == ["nodule", "effusion", "(all)"]
    last = rows[-1]
    assert (last.estimate, last.n, last.patients, last.undefined) == (0.75, 4, 3, {"healthy": 1})


def test_readers_methods_and_metrics_are_kept_apart_in_a_fixed_order() -> None:
    scores = [
        (score("mass", 0.6), "a"),
        (score("nodule", 0.1, metric="later_metric"), "a"),
        (score("nodule", 0.2, metric="dice"), "a"),
        (score("nodule", 0.3, reader="r2"), "a"),
        (score("nodule", 0.4, method="b"), "a"),
        (score("nodule", 0.5), "a"),
    ]
    rows = [(r.finding, r.reader, r.method, r.metric, r.estimate) for r in summaries(*scores)][:6]
    assert rows == [
        ("nodule", "r1", "b", "iou", 0.4),
        ("nodule", "r1", "m", "iou", 0.5),
        ("nodule", "r1", "m", "dice", 0.2),
        ("nodule", "r1", "m", "later_metric", 0.1),
        ("nodule", "r2", "m", "iou", 0.3),
        ("mass", "r1", "m", "iou", 0.6),
    ]


def test_one_reader_with_masks_and_boxes_gets_a_row_of_each() -> None:
    rows = [
        row
        for name, reference in (("a", masks(LESION)), ("b", boxes(Box(1.5, -0.5, 1, 1))))
        for score in score_drawing(drawing(LESION), reference, method="m", shape=(1, 3))
        for row in [(score, name)]
    ]
    found = {row.metric: (row.n, row.estimate) for row in summaries(*rows)}
    assert (found["hit"], found["box_hit"]) == ((1, 1.0), (1, 0.0))
    assert (found["iou"], found["box_iou"]) == ((1, 1.0), (1, 0.0))


def test_the_order_of_scores_does_not_matter() -> None:
    scores = [(score("nodule", number / 7), "abc"[number % 3]) for number in range(7)]
    assert summaries(*scores) == summaries(*scores[::-1])


def test_a_metric_that_is_never_defined_has_a_row_without_numbers() -> None:
    (row,) = summaries((score("nodule", "healthy"), "a"))
    assert (row.n, row.patients, row.estimate, row.low, row.high) == (0, 0, None, None, None)
    assert row.undefined == {"healthy": 1}


def test_no_scores_make_no_rows() -> None:
    assert summaries() == []


def test_a_rate_of_one_image_a_patient_is_a_proportion_with_its_exact_interval() -> None:
    hits = [(score("nodule", float(n < 3), metric="hit"), str(n)) for n in range(10)]
    (row,) = summaries(*hits)
    assert (row.estimate, row.low, row.high) == (0.3, *clopper_pearson(3, 10, confidence=0.95))


@pytest.mark.parametrize(("value", "bounds"), [(0.0, (0, 1 - 0.025**0.1)), (1.0, (0.025**0.1, 1))])
def test_a_share_of_the_area_that_is_all_or_nothing_has_the_bounds_of_a_proportion(
    value: float, bounds: tuple[float, float]
) -> None:
    """If the mean IoU were lower than the bound, ten IoUs of 1 would have a chance of less than 1 in 40."""
    (row,) = summaries(*((score("nodule", value), str(n)) for n in range(10)))
    assert (row.estimate, row.low, row.high) == (value, pytest.approx(bounds[0]), pytest.approx(bounds[1]))


@pytest.mark.parametrize(("metric", "value"), [("hd95", 0.0), ("iou", 0.5), ("later_metric", 1.0)])
def test_equal_distances_equal_halves_and_unknown_units_have_no_bound(metric: str, value: float) -> None:
    (row,) = summaries(*((score("nodule", value, metric=metric), str(n)) for n in range(10)))
    assert (row.estimate, row.low, row.high) == (value, None, None)


def test_rates_and_means_keep_their_own_intervals_side_by_side() -> None:
    rows = [
        (score("nodule", value, metric=metric), str(number))
        for metric in ("hit", "iou", "contour_on_healthy", "dice")
        for number, value in enumerate((1.0, 0.0, 0.0))
    ]
    found = {row.metric: (row.low, row.high) for row in summaries(*rows)}
    exact = clopper_pearson(1, 3, confidence=0.95)
    assert found["hit"] == found["contour_on_healthy"] == exact
    assert found["iou"] == found["dice"] != exact


def test_all_findings_together_come_behind_those_that_the_network_does_not_know() -> None:
    rows = summaries(*((score(finding, 1.0), "a") for finding in ("zebra", "mass", "effusion")))
    assert [row.finding for row in rows] == ["effusion", "mass", "zebra", "(all)"]

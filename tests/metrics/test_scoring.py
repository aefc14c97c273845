from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts import Scored, Side, side_of_drawing, side_of_reference
from pipeline.errors import CaseError
from pipeline.metrics import DEFAULT, METRICS
from pipeline.metrics.scoring import score_drawing, score_missing
from pipeline.records import Box, Drawing, Mask, Reference, Score, Tolerances
from tests.metrics.samples import boxes, drawing, mask, masks, nothing_drawn, of_map

SHAPE = (2, 4)
LEFT = mask("##..", "##..")
RIGHT = mask("...#", "....")
BOX = Box(x=-0.5, y=-0.5, width=2, height=2)


def scored(drawn: Drawing, reference: Reference) -> list[tuple[str, int | None, float | str]]:
    """(metric, lesion, value or reason) of each row."""
    rows = score_drawing(drawn, reference, method="gradcam", shape=SHAPE)
    return [
        (row.metric, row.lesion, row.undefined_because if row.value is None else row.value) for row in rows
    ]


def test_against_masks_only_mask_metrics_have_rows_and_lesions_are_numbered() -> None:
    drawn = of_map([[3, 1, 0, 1], [0, 0, 0, 0]], drawing(LEFT))
    assert scored(drawn, masks(LEFT, RIGHT)) == [
        ("iou", None, 4 / 5),
        ("dice", None, 8 / 9),
        ("precision", None, 1.0),
        ("recall", None, 4 / 5),
        ("lesion_iou", 1, 1.0),
        ("lesion_iou", 2, 0.0),
        ("lesion_dice", 1, 1.0),
        ("lesion_dice", 2, 0.0),
        ("hit", None, 1.0),
        ("near_hit", None, 1.0),
        ("energy_inside", None, 1.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_against_boxes_only_box_metrics_have_rows() -> None:
    assert scored(drawing(LEFT), boxes(BOX)) == [
        ("box_iou", 1, 1.0),
        ("iobb", 1, 1.0),
        ("box_hit", None, 1.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_a_miss_is_zero_for_every_lesion() -> None:
    assert scored(nothing_drawn(SHAPE), masks(LEFT, RIGHT)) == [
        ("iou", None, 0.0),
        ("dice", None, 0.0),
        ("precision", None, 0.0),
        ("recall", None, 0.0),
        ("lesion_iou", 1, 0.0),
        ("lesion_iou", 2, 0.0),
        ("lesion_dice", 1, 0.0),
        ("lesion_dice", 2, 0.0),
        ("hit", None, 0.0),
        ("near_hit", None, 0.0),
        ("energy_inside", None, "no_map"),
        ("contour_on_healthy", None, "finding_present"),
    ]
    assert scored(nothing_drawn(SHAPE), boxes(BOX, BOX)) == [
        ("box_iou", 1, 0.0),
        ("box_iou", 2, 0.0),
        ("iobb", 1, 0.0),
        ("iobb", 2, 0.0),
        ("box_hit", None, 0.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_a_contour_on_a_healthy_image_is_counted_once() -> None:
    elsewhere = "counted_as_contour_on_healthy"
    assert scored(drawing(LEFT), masks()) == [
        ("iou", None, elsewhere),
        ("dice", None, elsewhere),
        ("precision", None, elsewhere),
        ("recall", None, elsewhere),
        ("lesion_iou", None, elsewhere),
        ("lesion_dice", None, elsewhere),
        ("hit", None, elsewhere),
        ("near_hit", None, elsewhere),
        ("energy_inside", None, "healthy"),
        ("contour_on_healthy", None, 1.0),
    ]


def test_a_clear_healthy_image_is_right() -> None:
    assert scored(nothing_drawn(SHAPE), boxes()) == [
        ("box_iou", None, "healthy"),
        ("iobb", None, "healthy"),
        ("box_hit", None, "healthy"),
        ("contour_on_healthy", None, 0.0),
    ]


def test_a_row_names_case_finding_reader_method_and_metric() -> None:
    row = score_drawing(drawing(LEFT), masks(LEFT), method="gradcam", shape=SHAPE)[0]
    assert row == Score("case", "nodule", "reader1", "gradcam", "iou", value=1.0)


@pytest.mark.parametrize("odd", [LEFT.T, np.ones((3, 4), np.bool_)], ids=["turned", "larger"])
def test_a_mask_of_another_size_is_skipped(odd: Mask) -> None:
    with pytest.raises(CaseError, match="the image has 2 × 4") as caught:
        score_drawing(drawing(LEFT), masks(LEFT, odd), method="gradcam", shape=SHAPE)
    assert caught.value.reason == "mask_size"


def test_a_drawing_of_another_size_is_skipped() -> None:
    with pytest.raises(CaseError, match="The drawing has 4 × 2 pixels") as caught:
        score_drawing(nothing_drawn((4, 2)), boxes(BOX), method="gradcam", shape=SHAPE)
    assert caught.value.reason == "mask_size"


def test_an_image_without_annotation_has_one_undefined_row_per_metric() -> None:
    rows = score_missing("case", "nodule", method="gradcam", reader="reader1")
    assert [row.metric for row in rows] == list(DEFAULT)
    assert {(row.value, row.undefined_because, row.lesion) for row in rows} == {(None, "not_annotated", None)}


def test_where_the_study_set_has_boxes_a_missing_annotation_has_no_mask_scores() -> None:
    rows = score_missing("case", "nodule", method="m", reader="r", reason="reader_absent", kind="box")
    assert [row.metric for row in rows] == ["box_iou", "iobb", "box_hit", "contour_on_healthy"]
    assert rows[0].undefined_because == "reader_absent"


def chosen(
    drawn: Drawing, reference: Reference, *metrics: str, **options: object
) -> list[float | str | None]:
    rows = score_drawing(
        drawn,
        reference,
        method="m",
        shape=SHAPE,
        metrics=metrics,
        **options,  # type: ignore[arg-type]
    )
    return [row.undefined_because or row.value for row in rows]


def test_only_the_metrics_asked_for_are_scored_in_that_order() -> None:
    rows = score_drawing(drawing(LEFT), masks(LEFT), method="m", shape=SHAPE, metrics=("dice", "iou"))
    assert [row.metric for row in rows] == ["dice", "iou"]
    missing = score_missing("case", "nodule", method="m", reader="r", metrics=("dice", "box_iou"))
    assert [row.metric for row in missing] == ["dice", "box_iou"]


def test_every_default_metric_is_known() -> None:
    assert set(DEFAULT) <= set(METRICS)
    assert len(set(DEFAULT)) == len(DEFAULT)


@pytest.mark.parametrize("metric", ["hd95", "centroid_distance"])
def test_a_miss_is_as_far_as_the_image_is_wide(metric: str) -> None:
    # Two rows of 6 mm and four columns of 4 mm: 12 mm and 16 mm, a diagonal of 20.
    nothing = nothing_drawn(SHAPE)
    assert chosen(nothing, masks(LEFT), metric, spacing_mm=(6.0, 4.0)) == [pytest.approx(20)]
    assert chosen(nothing, masks(LEFT), metric) == ["spacing_unknown"]


def test_a_map_is_scored_behind_a_closed_gate_and_a_contour_is_not() -> None:
    closed = of_map([[3, 1, 0, 1], [0, 0, 0, 0]])
    assert chosen(closed, masks(RIGHT), "energy_inside", "iou", "hit") == [pytest.approx(1 / 5), 0, 0]


def test_contours_alone_have_no_map_to_score() -> None:
    assert chosen(drawing(LEFT), masks(LEFT), "energy_inside", "pixel_auroc", "iou") == [
        "no_map",
        "no_map",
        1,
    ]


def test_tolerances_reach_the_metrics() -> None:
    for tolerance, share in ((0.5, 0), (3.5, 1)):
        tolerances = Tolerances(surface_px=tolerance)
        found = chosen(drawing(LEFT), masks(RIGHT), "surface_distance", tolerances=tolerances)
        assert found == [share]


def test_a_healthy_image_whose_regions_were_all_too_small_is_clear() -> None:
    pointed = replace(nothing_drawn(SHAPE), peak=(1, 1))
    assert chosen(pointed, masks(), "contour_on_healthy", "hit") == [0, "healthy"]


@pytest.mark.parametrize("values", [(), (0.5, 0.5), (float("nan"),), (float("inf"),)])
def test_a_metric_with_a_wrong_number_of_values_or_none_finite_skips_the_image(
    monkeypatch: pytest.MonkeyPatch, values: tuple[float, ...]
) -> None:
    monkeypatch.setitem(METRICS._loaded, "iou", replace(METRICS["iou"], score=lambda _: values))
    with pytest.raises(
        CaseError, match=r"The metric 'iou' gave .*, wanted 1 numbers or reasons; "
    ) as refused:
        score_drawing(drawing(LEFT), masks(LEFT), method="gradcam", shape=SHAPE, metrics=("iou",))
    assert refused.value.reason == "metric_values"


def test_a_metric_may_return_numpys_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS._loaded, "iou", replace(METRICS["iou"], score=lambda _: (np.float32(0.5),)))
    (score,) = score_drawing(drawing(LEFT), masks(LEFT), method="gradcam", shape=SHAPE, metrics=("iou",))
    assert type(score.value) is float
    assert score.value == 0.5


def test_a_metric_cannot_change_what_others_read() -> None:
    shared = Scored(of_map(np.ones(SHAPE, np.float32)), masks(LEFT))
    for array in (shared.truth, shared.relevance):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_what_one_side_knows_is_found_out_once() -> None:
    asked = []

    def count(side: Side, *, plus: int) -> int:
        asked.append(plus)
        return int(side.mask.sum()) + plus

    side = side_of_reference(masks(LEFT), SHAPE)
    assert [side.once(count, plus=plus) for plus in (0, 1, 0, 1)] == [4, 5, 4, 5]
    assert asked == [0, 1]


def test_sides_of_another_drawing_or_reference_are_not_used() -> None:
    drawn, reference = drawing(LEFT), masks(LEFT, RIGHT)
    sides = side_of_drawing(drawn), side_of_reference(reference, SHAPE)
    known = Scored(drawn, reference, known=sides)
    assert known.sides == sides
    other = replace(known, drawing=drawing(RIGHT), reference=masks(RIGHT))
    assert [int(side.mask.sum()) for side in other.sides] == [1, 1]
    np.testing.assert_array_equal(other.truth, RIGHT)

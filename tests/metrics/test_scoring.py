import numpy as np
import pytest

from pipeline.contracts import Drawing
from pipeline.errors import CaseError
from pipeline.metrics import METRICS
from pipeline.metrics.scoring import score_drawing, score_missing
from pipeline.records import Box, Mask, Reference, Score
from tests.metrics.samples import boxes, drawing, mask, masks, nothing_drawn

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
    assert scored(drawing(LEFT), masks(LEFT, RIGHT)) == [
        ("iou", None, 4 / 5),
        ("dice", None, 8 / 9),
        ("lesion_iou", 1, 1.0),
        ("lesion_iou", 2, 0.0),
        ("lesion_dice", 1, 1.0),
        ("lesion_dice", 2, 0.0),
        ("hit", None, 1.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_against_boxes_only_box_metrics_have_rows() -> None:
    assert scored(drawing(LEFT), boxes(BOX)) == [
        ("box_iou", 1, 1.0),
        ("box_hit", None, 1.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_a_miss_is_zero_for_every_lesion() -> None:
    assert scored(nothing_drawn(SHAPE), masks(LEFT, RIGHT)) == [
        ("iou", None, 0.0),
        ("dice", None, 0.0),
        ("lesion_iou", 1, 0.0),
        ("lesion_iou", 2, 0.0),
        ("lesion_dice", 1, 0.0),
        ("lesion_dice", 2, 0.0),
        ("hit", None, 0.0),
        ("contour_on_healthy", None, "finding_present"),
    ]
    assert scored(nothing_drawn(SHAPE), boxes(BOX, BOX)) == [
        ("box_iou", 1, 0.0),
        ("box_iou", 2, 0.0),
        ("box_hit", None, 0.0),
        ("contour_on_healthy", None, "finding_present"),
    ]


def test_a_contour_on_a_healthy_image_is_counted_once() -> None:
    elsewhere = "counted_as_contour_on_healthy"
    assert scored(drawing(LEFT), masks()) == [
        ("iou", None, elsewhere),
        ("dice", None, elsewhere),
        ("lesion_iou", None, elsewhere),
        ("lesion_dice", None, elsewhere),
        ("hit", None, elsewhere),
        ("contour_on_healthy", None, 1.0),
    ]


def test_a_clear_healthy_image_is_right() -> None:
    assert scored(nothing_drawn(SHAPE), boxes()) == [
        ("box_iou", None, "healthy"),
        ("box_hit", None, "healthy"),
        ("contour_on_healthy", None, 0.0),
    ]


def test_a_row_says_what_it_is_of() -> None:
    row = score_drawing(drawing(LEFT), masks(LEFT), method="gradcam", shape=SHAPE)[0]
    assert row == Score("case", "nodule", "reader1", "gradcam", "iou", value=1.0)


@pytest.mark.parametrize("odd", [LEFT.T, np.ones((3, 4), np.bool_)], ids=["turned", "larger"])
def test_a_mask_of_another_size_is_set_aside(odd: Mask) -> None:
    with pytest.raises(CaseError, match="the image 2 × 4") as caught:
        score_drawing(drawing(LEFT), masks(LEFT, odd), method="gradcam", shape=SHAPE)
    assert caught.value.reason == "mask_size"


def test_a_drawing_of_another_size_is_set_aside() -> None:
    with pytest.raises(CaseError, match="the drawing has 4 × 2 pixels") as caught:
        score_drawing(nothing_drawn((4, 2)), boxes(BOX), method="gradcam", shape=SHAPE)
    assert caught.value.reason == "mask_size"


def test_an_image_without_annotation_has_one_undefined_row_a_metric() -> None:
    rows = score_missing("case", "nodule", method="gradcam", reader="reader1")
    assert [row.metric for row in rows] == list(METRICS)
    assert {(row.value, row.undefined_because, row.lesion) for row in rows} == {(None, "not_annotated", None)}


def test_where_the_study_set_has_boxes_a_missing_annotation_has_no_mask_scores() -> None:
    rows = score_missing("case", "nodule", method="m", reader="r", reason="reader_absent", kind="box")
    assert [row.metric for row in rows] == ["box_iou", "box_hit", "contour_on_healthy"]
    assert rows[0].undefined_because == "reader_absent"

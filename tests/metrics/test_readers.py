from dataclasses import replace

import numpy as np
import pytest

from pipeline.metrics import METRICS
from pipeline.metrics.readers import as_drawing, pointed, score_readers
from pipeline.records import Box, Reference, Score
from tests.metrics.samples import boxes, mask, masks

FOUR = mask("####", "....", "....")
TWO = mask("##..", "....", "....")
ONE = mask("....", "....", "...#")
SHAPE = (3, 4)


def reader(name: str, reference: Reference) -> Reference:
    return replace(reference, reader=name)


def scores(*references: Reference, metric: str = "iou") -> dict[tuple[str, str], float | str | None]:
    """(method, reader) → value or reason."""
    rows = score_readers(references, shape=SHAPE, spacing_mm=(1, 1), metrics=(metric,))
    return {(row.method, row.reader): row.undefined_because or row.value for row in rows}


def test_each_reader_is_scored_against_each_other_one() -> None:
    anna, ben, eva = (reader(name, masks(m)) for name, m in (("anna", FOUR), ("ben", TWO), ("eva", ONE)))
    assert scores(anna, ben, eva) == {
        ("reader anna", "ben"): 0.5,
        ("reader ben", "anna"): 0.5,
        ("reader anna", "eva"): 0,
        ("reader eva", "anna"): 0,
        ("reader ben", "eva"): 0,
        ("reader eva", "ben"): 0,
    }


def test_the_method_is_scored_and_the_reader_is_the_truth() -> None:
    found = scores(reader("anna", masks(FOUR)), reader("ben", masks(TWO)), metric="recall")
    assert found == {("reader ben", "anna"): 0.5, ("reader anna", "ben"): 1}


def test_a_reader_who_sees_nothing_misses_as_the_network_would() -> None:
    found = scores(reader("anna", masks(FOUR)), reader("ben", masks()))
    assert found == {
        ("reader ben", "anna"): 0,
        ("reader anna", "ben"): "counted_as_contour_on_healthy",
    }
    healthy = scores(reader("anna", masks(FOUR)), reader("ben", masks()), metric="contour_on_healthy")
    assert healthy == {("reader anna", "ben"): 1, ("reader ben", "anna"): "finding_present"}


def test_findings_and_masks_and_boxes_are_not_mixed() -> None:
    anna = reader("anna", masks(FOUR))
    assert scores(anna, replace(reader("ben", masks(TWO)), finding="effusion")) == {}
    assert score_readers([anna, reader("ben", boxes(Box(0, 0, 1, 1)))], shape=SHAPE) == []
    assert scores(anna) == {}


def test_what_needs_a_map_has_no_row() -> None:
    rows = score_readers(
        [reader("anna", masks(FOUR)), reader("ben", masks(TWO))], shape=SHAPE, metrics=tuple(METRICS)
    )
    assert not {row.metric for row in rows} & {"energy_inside", "pixel_auroc"}
    assert {"iou", "hd95", "panoptic_quality"} <= {row.metric for row in rows}


def test_instances_stay_apart() -> None:
    two = reader("anna", masks(TWO, ONE))
    found = score_readers([two, reader("ben", masks(TWO, ONE))], shape=SHAPE, metrics=("lesion_iou",))
    assert [(row.reader, row.lesion, row.value) for row in found] == [
        ("ben", 1, 1.0),
        ("ben", 2, 1.0),
        ("anna", 1, 1.0),
        ("anna", 2, 1.0),
    ]
    assert found[0] == Score("case", "nodule", "ben", "reader anna", "lesion_iou", 1.0, lesion=1)


def test_boxes_of_whole_pixels_are_scored_exactly() -> None:
    anna, ben = reader("anna", boxes(Box(-0.5, -0.5, 2, 2))), reader("ben", boxes(Box(0.5, -0.5, 2, 2)))
    assert scores(anna, ben, metric="box_iou") == {
        ("reader anna", "ben"): pytest.approx(1 / 3),
        ("reader ben", "anna"): pytest.approx(1 / 3),
    }


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(x=0.5, y=0.5, width=2, height=1), ["....", ".##.", "...."]),
        (Box(x=0.9, y=-0.2, width=1.3, height=0.7), [".##.", "....", "...."]),
        (Box(x=2.2, y=1.2, width=0.4, height=0.4), ["....", "....", "...#"]),
        (Box(x=9, y=9, width=1, height=1), ["....", "....", "...#"]),
        (Box(x=-5, y=-5, width=20, height=20), ["####", "####", "####"]),
    ],
    ids=["whole pixels", "centres inside", "between centres: the next", "beyond the image", "around it"],
)
def test_a_box_is_the_pixels_whose_centres_it_holds_at_least_one(box: Box, inside: list[str]) -> None:
    drawn = as_drawing(boxes(box), SHAPE)
    np.testing.assert_array_equal(drawn.mask, mask(*inside))
    assert len(drawn.regions) == 1


def test_a_reader_points_at_the_deepest_pixel_of_the_largest_lesion() -> None:
    large, small = mask("###..", "###..", "###.."), mask(".....", ".....", "....#")
    assert pointed([small, large]) == (1, 1)
    assert pointed([]) is None
    everything = mask("###", "###", "###")
    assert pointed([everything]) == (1, 1)  # what lies beyond the image counts as outside


def test_a_reader_hits_where_the_other_drew_that_pixel() -> None:
    anna, ben = reader("anna", masks(FOUR)), reader("ben", masks(ONE))
    assert scores(anna, ben, metric="hit") == {("reader anna", "ben"): 0, ("reader ben", "anna"): 0}
    eva = reader("eva", masks(TWO))
    assert scores(anna, eva, metric="hit") == {("reader anna", "eva"): 1, ("reader eva", "anna"): 1}


def test_readers_who_drew_the_same_box_agree_though_it_ends_between_pixels() -> None:
    box = Box(0.3, 0.3, 1.4, 1.4)
    found = scores(reader("anna", boxes(box)), reader("ben", boxes(box)), metric="box_iou")
    assert found == {("reader anna", "ben"): 1, ("reader ben", "anna"): 1}

"""Scores of one case: what is compared with what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cases.contours import draw_contours
from pipeline.cases.protocol import Protocol
from pipeline.cases.scores import CaseScores, curve_of, references_of, score_case
from pipeline.contracts import Scored
from pipeline.ground_truth.references import CaseReferences, ReaderFinding
from pipeline.metrics.pixels import iou_curve
from pipeline.records import Box, Curve, ExplainedCase, Reference, Tolerances
from tests.cases.explained import (
    CASE,
    EMPTY,
    QUARTER,
    SHAPE,
    box_item,
    explained,
    finished,
    gated,
    mask_item,
    reasons,
    references,
    score,
)
from tests.metrics.samples import drawing, mask, masks, of_map
from tests.study import square

LEFT = mask("#...", "#...")
MAP = [[4, 3, 0, 0], [2, 1, 0, -5]]


def test_a_curve_says_what_it_is_of() -> None:
    scored = Scored(of_map(MAP), masks(LEFT))
    assert curve_of(scored, method="gradcam") == Curve(
        "case", "nodule", "reader1", "gradcam", iou_curve(scored)
    )


def test_without_a_map_or_a_lesion_there_is_no_curve() -> None:
    assert curve_of(Scored(drawing(LEFT), masks(LEFT)), method="m") is None
    assert curve_of(Scored(of_map(MAP), masks()), method="m") is None


def test_masks_of_one_reader_are_joined_and_keep_their_instances(tmp_path: Path, protocol: Protocol) -> None:
    other = square(SHAPE, 6, 6, 2)
    found = finished(explained(mask_item(tmp_path, QUARTER), mask_item(tmp_path, other)), protocol)
    assert references(found) == [("nodule", "anna", "mask", 2)]
    assert [
        s["lesion"] for s in found["scores"] if s["metric"] == "lesion_iou" and s["finding"] == "nodule"
    ] == [1, 2]


def test_readers_are_kept_apart(tmp_path: Path, protocol: Protocol) -> None:
    items = [mask_item(tmp_path, QUARTER), mask_item(tmp_path, EMPTY, reader="ben")]
    found = finished(explained(*items), protocol)
    assert references(found) == [("nodule", "anna", "mask", 1), ("nodule", "ben", "mask", 0)]
    iou = {
        (s["method"], s["reader"]): s["undefined_because"] or s["value"]
        for s in found["scores"]
        if s["metric"] == "iou" and s["finding"] == "nodule"
    }
    assert iou == {
        ("gradcam", "anna"): 15 / 16,  # a corner of the quarter lies below half of the maximum
        ("gradcam", "ben"): "counted_as_contour_on_healthy",
        ("gradcam", "majority"): "counted_as_contour_on_healthy",  # of two readers one is no majority
        ("reader anna", "ben"): "counted_as_contour_on_healthy",
        ("reader ben", "anna"): 0,
    }


def test_without_a_consensus_readers_stand_alone(tmp_path: Path, protocol: Protocol) -> None:
    items = [mask_item(tmp_path, QUARTER), mask_item(tmp_path, QUARTER, reader="ben")]
    found = finished(explained(*items), replace(protocol, consensus=None))
    assert {s["reader"] for s in found["scores"] if s["finding"] == "nodule"} == {"anna", "ben"}


def test_lesions_are_matched_with_contours_and_curves_are_kept(tmp_path: Path, protocol: Protocol) -> None:
    found = finished(explained(mask_item(tmp_path, QUARTER)), protocol)
    (nodule,) = (c for c in found["candidates"] if c["finding"] == "nodule")
    assert (nodule["lesions"], nodule["affinity"]["iou"]) == (1, [[15 / 16]])
    (curve,) = found["curves"]
    assert (curve["finding"], curve["reader"], len(curve["ious"])) == ("nodule", "anna", 19)


def test_a_label_that_says_absent_is_a_reference_where_nobody_annotated(protocol: Protocol) -> None:
    found = finished(explained(labels={"nodule": 0, "effusion": 1}), protocol)
    assert references(found) == [("nodule", "labels", "mask", 0)]
    assert score(found, "contour_on_healthy") == 1
    assert score(found, "iou", "effusion") == "not_annotated"  # present, but nobody drew where
    assert found["labels"] == {"nodule": 0, "effusion": 1}


def test_an_annotation_wins_over_a_label_that_says_absent(tmp_path: Path, protocol: Protocol) -> None:
    found = finished(explained(mask_item(tmp_path, QUARTER), labels={"nodule": 0}), protocol)
    assert references(found) == [("nodule", "anna", "mask", 1)]


def test_what_nobody_annotated_and_no_label_tells_is_undefined(protocol: Protocol) -> None:
    found = finished(explained(), protocol)
    assert references(found) == []
    assert {s["undefined_because"] for s in found["scores"]} == {"not_annotated"}


def test_a_shape_on_an_image_whose_labels_say_that_nothing_is_there_is_skipped(
    tmp_path: Path, protocol: Protocol
) -> None:
    item = mask_item(tmp_path, QUARTER, absent=True)
    found = finished(explained(item, labels={"nodule": 0}), protocol)
    assert reasons(found) == ["annotation_without_label"]
    assert references(found) == []
    assert score(found, "iou") == "annotation_unusable"


def test_an_empty_mask_on_an_image_whose_labels_say_that_nothing_is_there_agrees(
    tmp_path: Path, protocol: Protocol
) -> None:
    found = finished(explained(mask_item(tmp_path, EMPTY, absent=True), labels={"nodule": 0}), protocol)
    assert reasons(found) == []
    assert references(found) == [("nodule", "anna", "mask", 0)]


def test_an_annotation_that_cannot_be_used_is_neither_a_miss_nor_an_absence(
    tmp_path: Path, protocol: Protocol
) -> None:
    item = mask_item(tmp_path, np.ones((3, 3), bool))
    found = finished(explained(item, labels={"nodule": 0}), protocol)
    assert reasons(found) == ["mask_size"]
    assert references(found) == []
    assert score(found, "iou") == "annotation_unusable"


def test_where_one_of_two_masks_cannot_be_used_the_other_is_no_reference(
    tmp_path: Path, protocol: Protocol
) -> None:
    items = [mask_item(tmp_path, QUARTER), mask_item(tmp_path, np.ones((3, 3), bool))]
    for order in (items, items[::-1]):
        found = finished(explained(*order), protocol)
        assert reasons(found) == ["mask_size"]
        assert score(found, "iou") == "annotation_unusable"


def test_another_reader_or_finding_is_not_touched_by_an_unusable_mask(
    tmp_path: Path, protocol: Protocol
) -> None:
    items = [
        mask_item(tmp_path, np.ones((3, 3), bool)),
        mask_item(tmp_path, QUARTER, reader="ben"),
        mask_item(tmp_path, QUARTER, "effusion"),
    ]
    found = finished(explained(*items), protocol)
    assert references(found) == [("nodule", "ben", "mask", 1), ("effusion", "anna", "mask", 1)]


def test_masks_and_boxes_of_one_reader_are_two_references(tmp_path: Path, protocol: Protocol) -> None:
    items = [mask_item(tmp_path, QUARTER), box_item(Box(1, 1, 2, 2))]
    found = finished(explained(*items), replace(protocol, kind=None))
    assert references(found) == [("nodule", "anna", "mask", 1), ("nodule", "anna", "box", 1)]
    assert reasons(found) == []


def test_an_empty_mask_and_an_empty_box_say_once_that_nothing_is_there(
    tmp_path: Path, protocol: Protocol
) -> None:
    items = [mask_item(tmp_path, np.zeros_like(QUARTER)), box_item()]
    found = finished(explained(*items), replace(protocol, kind=None))
    assert references(found) == [("nodule", "anna", "mask", 0)]


def test_boxes_are_scored_by_the_metrics_for_boxes_alone(protocol: Protocol) -> None:
    found = finished(explained(box_item(Box(-0.5, -0.5, 4, 4))), replace(protocol, kind="box"))
    assert references(found) == [("nodule", "anna", "box", 1)]
    assert "iou" not in {s["metric"] for s in found["scores"]}
    assert "box_iou" in {s["metric"] for s in found["scores"]}


def said(name: str, *instances: np.ndarray, finding: str = "nodule", kind: Any = "mask") -> Reference:
    """What a reader drew of a finding; boxes are (x, y, width, height) of the instances."""
    if kind == "box":
        return Reference(
            CASE.case_id, finding, name, "box", boxes=tuple(Box(*map(float, b)) for b in instances)
        )
    return Reference(CASE.case_id, finding, name, kind, masks=instances)


def scored(work: ExplainedCase, protocol: Protocol, *references: Reference, **changes: Any) -> CaseScores:
    """By everything that is drawn of the case."""
    drawings = draw_contours(work, references, protocol)
    return score_case(
        work, drawings, CaseReferences(references, **{"unusable": (), "skipped": (), **changes}), protocol
    )


def rows(
    found: CaseScores, metric: str, finding: str = "nodule"
) -> dict[tuple[str, str], float | str | None]:
    """(method, reader) → the value, or the reason why there is none."""
    return {
        (row.method, row.reader): row.undefined_because or row.value
        for row in found.scores
        if (row.metric, row.finding) == (metric, finding)
    }


HALF = square(SHAPE, 0, 0, 4) | square(SHAPE, 4, 0, 4)
BOTTOM = square(SHAPE, 4, 4, 4)


def test_the_consensus_of_three_is_what_two_of_them_drew(protocol: Protocol) -> None:
    found = scored(explained(), protocol, said("a", QUARTER), said("b", HALF), said("c", BOTTOM))
    iou = rows(found, "iou")
    assert iou["gradcam", "majority"] == iou["gradcam", "a"] == 15 / 16
    assert iou["gradcam", "b"] == 15 / 32
    assert {reader for method, reader in iou if method.startswith("reader")} == {"a", "b", "c"}


def test_readers_of_different_findings_have_no_consensus_and_boxes_have_none(protocol: Protocol) -> None:
    anna, box = said("a", QUARTER), np.array([0, 0, 2, 2])
    for other in (said("b", QUARTER, finding="effusion"), said("b", box, kind="box")):
        found = scored(explained(), protocol, anna, other)
        assert {row.reader for row in found.scores} <= {"a", "b", "labels"}
    two = scored(explained(), protocol, said("a", box, kind="box"), said("b", box, kind="box"))
    assert {row.reader for row in two.scores if row.finding == "nodule"} == {"a", "b"}


def test_a_polygon_and_a_mask_have_a_consensus(protocol: Protocol) -> None:
    found = scored(explained(), protocol, said("a", QUARTER), said("b", QUARTER, kind="polygon"))
    assert rows(found, "iou")["gradcam", "majority"] == 15 / 16


def test_the_rule_of_consensus_is_the_one_that_is_asked_for(protocol: Protocol) -> None:
    found = scored(explained(), replace(protocol, consensus="staple"), said("a", QUARTER), said("b", QUARTER))
    assert ("gradcam", "staple") in rows(found, "iou")


def test_readers_are_scored_by_the_runs_own_metrics_spacing_and_tolerances(protocol: Protocol) -> None:
    """Two squares, of which one lies 2 px, 1 mm, to the right of the other and of its middle 1 px, 0.5 mm."""
    work = explained()
    near = replace(work, decoded=replace(work.decoded, spacing_mm=(0.5, 0.5)))
    readers = said("a", QUARTER), said("b", square(SHAPE, 0, 2, 4))
    hits = []
    for pointing_mm in (0.4, 0.5):
        asked = replace(
            protocol, metrics=("hd95", "near_hit"), tolerances=Tolerances(pointing_mm=pointing_mm)
        )
        found = scored(near, asked, *readers)
        assert {row.metric for row in found.scores if row.finding == "nodule"} == {"hd95", "near_hit"}
        assert rows(found, "hd95")["reader a", "b"] == 1
        hits.append(rows(found, "near_hit")["reader a", "b"])
    assert hits == [0, 1]


def test_what_is_not_drawn_where_the_finding_is_absent_is_right(protocol: Protocol) -> None:
    found = scored(explained(probability=0.1), gated(protocol, "predicted"), said("a"))
    assert rows(found, "contour_on_healthy") == {("gradcam", "a"): 0}


def test_a_map_that_ought_to_be_there_is_undefined_for_every_reader(protocol: Protocol) -> None:
    expected = frozenset({("gradcam", "nodule"), ("layercam", "nodule"), ("layercam", "effusion")})
    work = replace(explained(), expected=expected)
    found = scored(work, protocol, said("a", QUARTER), said("b", QUARTER))
    iou = rows(found, "iou")
    assert {reader: iou["layercam", reader] for reader in ("a", "b", "majority")} == dict.fromkeys(
        ("a", "b", "majority"), "no_heatmap"
    )
    assert iou["gradcam", "a"] == 15 / 16
    assert rows(found, "iou", "effusion") == {
        ("gradcam", "labels"): "not_annotated",
        ("layercam", "labels"): "not_annotated",
    }


def test_an_unusable_annotation_is_undefined_for_its_reader_and_finding_alone(protocol: Protocol) -> None:
    unusable = (ReaderFinding("nodule", "b", "mask"),)
    expected = frozenset({("layercam", "nodule")})
    found = scored(replace(explained(), expected=expected), protocol, said("a", QUARTER), unusable=unusable)
    assert rows(found, "iou") == {
        ("gradcam", "a"): 15 / 16,
        ("gradcam", "b"): "annotation_unusable",
        ("layercam", "a"): "no_heatmap",
        ("layercam", "b"): "annotation_unusable",
    }
    assert rows(found, "iou", "effusion") == {("gradcam", "labels"): "not_annotated"}


def test_what_is_undefined_has_a_row_for_each_metric_of_its_kind(protocol: Protocol) -> None:
    boxed = replace(protocol, kind="box", metrics=("iou", "box_iou", "contour_on_healthy"))
    found = scored(explained(), boxed, unusable=(ReaderFinding("effusion", "a", "mask"),))
    of = {
        finding: [r.metric for r in found.scores if r.finding == finding]
        for finding in ("nodule", "effusion")
    }
    assert of["nodule"] == ["box_iou", "contour_on_healthy"]
    assert of["effusion"] == ["iou", "contour_on_healthy"]


def test_contours_without_a_map_have_no_row_of_a_map_or_its_peak(protocol: Protocol) -> None:
    work = explained()
    contours = (replace(h, unit="contour", relevance=np.eye(2, dtype=np.float32)) for h in work.heatmaps)
    every = replace(protocol, metrics=("iou", "hit", "energy_inside", "hd95"))
    of_contours = scored(replace(work, heatmaps=tuple(contours)), every, said("a", QUARTER))
    of_maps = scored(work, every, said("a", QUARTER))
    found = [
        [row.metric for row in of.scores if (row.method, row.finding) == ("gradcam", "nodule")]
        for of in (of_contours, of_maps)
    ]
    assert found == [["iou", "hd95"], ["iou", "hit", "energy_inside", "hd95"]]
    assert of_contours.curves == ()


def test_every_drawing_and_reference_of_a_finding_are_matched(protocol: Protocol) -> None:
    found = scored(
        explained(), protocol, said("a", QUARTER), said("b", BOTTOM), said("a", finding="effusion")
    )
    assert [(c.method, c.finding, c.reader, c.lesions, len(c.scores)) for c in found.candidates] == [
        ("gradcam", "nodule", "a", 1, 1),
        ("gradcam", "nodule", "b", 1, 1),
        ("gradcam", "nodule", "majority", 0, 1),
        ("gradcam", "effusion", "a", 0, 1),
    ]
    assert [(curve.reader, len(curve.ious)) for curve in found.curves] == [("a", 19), ("b", 19)]


@pytest.mark.parametrize(
    ("unit", "known", "sure"), [("logit", True, 2.0), ("relative", True, 0.9), ("relative", False, 1.0)]
)
def test_a_contour_is_as_sure_as_its_logit_or_as_the_finding_is_probable(
    protocol: Protocol, unit: Any, known: Any, sure: float
) -> None:
    work = explained(probability=0.9)
    work = replace(work, heatmaps=tuple(replace(h, unit=unit) for h in work.heatmaps))
    found = scored(work if known else replace(work, predictions=()), protocol, said("a", QUARTER))
    assert found.candidates[0].scores == (sure,)


def test_contours_without_a_map_are_as_sure_as_the_finding_is_probable(protocol: Protocol) -> None:
    work = explained(probability=0.7)
    contours = (replace(h, unit="contour", relevance=np.eye(2, dtype=np.float32)) for h in work.heatmaps)
    found = scored(replace(work, heatmaps=tuple(contours)), protocol, said("a", QUARTER))
    assert set(found.candidates[0].scores) == {0.7}


def test_where_annotations_are_of_several_kinds_an_absent_label_is_a_mask(protocol: Protocol) -> None:
    work = explained(labels={"nodule": 0, "effusion": 1})
    for kind, wanted in ((None, "mask"), ("box", "box"), ("point", "point")):
        (found,) = references_of(work, replace(protocol, kind=kind, negative_reader="ben")).references
        assert (found.finding, found.reader, found.kind, found.lesions) == ("nodule", "ben", wanted, 0)


def test_what_one_reader_annotated_is_annotated_whatever_others_annotated_beside(protocol: Protocol) -> None:
    found = scored(explained(), protocol, said("a", QUARTER), said("b", QUARTER, finding="effusion"))
    assert rows(found, "iou") == {("gradcam", "a"): 15 / 16}
    assert rows(found, "iou", "effusion") == {("gradcam", "b"): 15 / 16}

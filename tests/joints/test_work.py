"""Work: what becomes of one image before and behind the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.attribution.priors import local_contrast, uniform_random
from pipeline.classifiers import Preprocessing
from pipeline.contours.drawing import draw
from pipeline.contracts import Drawing
from pipeline.errors import CaseError
from pipeline.geometry import place, resized, whole
from pipeline.joints.baselines import packed
from pipeline.joints.drawn import Cut, Explained, Loaded, Protocol
from pipeline.joints.work import finish_case, load_case
from pipeline.records import AnnotationItem, Box, Heatmap, Mask, ModelInput, Prediction, Skipped
from pipeline.store.cases import read_case
from tests.joints.cases import case
from tests.store.test_pictures import read_back
from tests.study import square, uid, write_image

SHAPE = (8, 8)
CASE = case("image1", shape=SHAPE)
QUARTER = square(SHAPE, 0, 0, 4)
"""Where the heatmaps below are highest."""
EMPTY = np.zeros(SHAPE, bool)


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    return Protocol(
        run=tmp_path / "run",
        cut=Cut("fraction", 0.5, "all"),
        minimum_area_px=0,
        minimum_area_mm2=0,
        kind="mask",
        negative_reader="labels",
    )


def gated(protocol: Protocol, gate: Any) -> Protocol:
    return replace(protocol, cut=replace(protocol.cut, gate=gate))


def mask_item(folder: Path, mask: Mask, finding: str = "nodule", **changes: Any) -> AnnotationItem:
    path = folder / f"mask{len(list(folder.iterdir()))}.png"
    Image.fromarray(mask.astype(np.uint8)).save(path)
    item = AnnotationItem(
        "png", "image1", finding, "anna", payload={"path": str(path), "instances": "values"}
    )
    return replace(item, **changes)


def box_item(*boxes: Box, finding: str = "nodule") -> AnnotationItem:
    return AnnotationItem("boxes", "image1", finding, "anna", payload={"boxes": boxes})


def explained(
    *items: AnnotationItem, labels: dict[str, int | None] | None = None, probability: float = 0.9
) -> Explained:
    """An image with two findings whose heatmap is 2 × 2 cells, the first the highest."""
    placement = whole(SHAPE)
    loaded = Loaded(
        CASE, ModelInput(CASE.case_id, np.zeros((1, 8, 8), np.float32), placement), SHAPE, None, {}, ""
    )
    findings = ("nodule", "effusion")
    relevance = np.array([[2, 0], [0, -1]], np.float32)
    return Explained(
        loaded=loaded,
        predictions=tuple(Prediction(CASE.case_id, f, 0.0, probability, 0.5) for f in findings),
        heatmaps=tuple(
            Heatmap(CASE.case_id, f, "gradcam", relevance, "logit", resized(placement, (2, 2)))
            for f in findings
        ),
        items=items,
        labels=labels or {},
        findings=findings,
    )


def finished(work: Explained, protocol: Protocol) -> dict[str, Any]:
    assert finish_case(work, protocol=protocol) is None
    found = read_case(protocol.run, CASE.case_id)
    assert isinstance(found, dict)
    return found


def score(found: dict[str, Any], metric: str, finding: str = "nodule", method: str = "gradcam") -> Any:
    """The value or the reason why there is none."""
    (row,) = (
        s for s in found["scores"] if (s["metric"], s["finding"], s["method"]) == (metric, finding, method)
    )
    return row["undefined_because"] or row["value"]


def references(found: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """(finding, reader, kind, outlines and boxes)."""
    return [
        (r["finding"], r["reader"], r["kind"], len(r["outlines"]) + len(r["boxes"]))
        for r in found["references"]
    ]


def reasons(found: dict[str, Any]) -> list[str]:
    return [skip["reason"] for skip in found["skipped"]]


@pytest.mark.parametrize(
    ("gate", "probability", "annotated", "drawn"),
    [
        ("all", 0.1, False, True),
        ("predicted", 0.1, True, False),
        ("predicted", 0.5, False, True),
        ("annotated", 0.1, True, True),
        ("annotated", 0.1, False, False),
        ("annotated", 0.9, False, True),
    ],
)
def test_the_gate_opens_by_prediction_or_annotation(
    tmp_path: Path,
    protocol: Protocol,
    gate: Any,
    probability: float,
    annotated: Any,
    drawn: Any,
) -> None:
    items = [mask_item(tmp_path, QUARTER)] if annotated else []
    found = finished(explained(*items, probability=probability), gated(protocol, gate))
    assert bool([r for r in found["regions"] if r["finding"] == "nodule"]) == drawn
    assert bool([p for p in found["peaks"] if p["finding"] == "nodule"]) == drawn
    if annotated:
        assert (score(found, "iou") > 0) == drawn  # a contour that is not drawn is a miss, not left out


def test_an_empty_mask_does_not_open_the_gate_for_annotated_findings(
    tmp_path: Path, protocol: Protocol
) -> None:
    work = explained(mask_item(tmp_path, EMPTY), probability=0.1)
    found = finished(work, gated(protocol, "annotated"))
    assert not found["regions"]
    assert score(found, "contour_on_healthy") == 0


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


def test_a_findings_own_cut_holds_for_it_alone(tmp_path: Path, protocol: Protocol) -> None:
    shut = replace(protocol.cut, gate="predicted", probability=0.95)
    work = explained(mask_item(tmp_path, QUARTER), probability=0.9)

    def drawn(cut: Cut) -> list[str]:
        return [r["finding"] for r in finished(work, replace(protocol, cuts=(("nodule", cut),)))["regions"]]

    assert drawn(shut) == ["effusion"]
    assert drawn(replace(shut, probability=0.9)) == ["nodule", "effusion"]


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


def test_a_shape_on_an_image_whose_labels_say_that_nothing_is_there_is_set_aside(
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


def test_baselines_are_scored_beside_the_network_but_draw_no_contours(
    tmp_path: Path, protocol: Protocol
) -> None:
    maps = {"prior/nodule": np.eye(2, dtype=np.float32)[:1]}
    protocol.run.mkdir()
    (protocol.run / "baselines.npz").write_bytes(packed(maps))
    item = mask_item(tmp_path, square(SHAPE, 0, 0, 8))
    found = finished(explained(item), replace(protocol, baselines=("prior",)))
    assert {s["method"] for s in found["scores"] if s["finding"] == "nodule"} == {"gradcam", "prior"}
    assert {s["method"] for s in found["scores"] if s["finding"] == "effusion"} == {"gradcam"}  # has no prior
    # 1 and 0 on two cells of 4 columns: at least half up to column 3, 4 of 8 columns.
    assert score(found, "iou", method="prior") == 0.5
    assert {r["method"] for r in found["regions"]} == {p["method"] for p in found["peaks"]} == {"gradcam"}


def random_scores(work: Explained, protocol: Protocol) -> dict[str, Any]:
    found = finished(work, replace(protocol, baselines=("random",)))
    return {
        s["finding"]: s["value"] for s in found["scores"] if (s["metric"], s["method"]) == ("iou", "random")
    }


def test_random_maps_differ_from_finding_to_finding_and_image_to_image(
    tmp_path: Path, protocol: Protocol
) -> None:
    mask = square(SHAPE, 0, 0, 8)
    mask[::2] = False
    work = explained(mask_item(tmp_path, mask), mask_item(tmp_path, mask, "effusion"))
    here = random_scores(work, protocol)
    assert here["nodule"] != here["effusion"]
    other = replace(work.loaded, sha256="another file")
    frame = replace(CASE, source=replace(CASE.source, frame=1))
    assert random_scores(replace(work, loaded=other), protocol) != here
    assert random_scores(replace(work, loaded=replace(work.loaded, case=frame)), protocol) != here


def test_a_random_map_is_that_of_the_input_whatever_its_pseudonym(tmp_path: Path, protocol: Protocol) -> None:
    mask = square(SHAPE, 0, 0, 4)
    work = explained(mask_item(tmp_path, mask))
    drawn = place(uniform_random("", 0, "nodule"), resized(whole(SHAPE), (7, 7)))
    above = drawn >= 0.5 * drawn.max()
    expected = (above & mask).sum() / (above | mask).sum()
    assert random_scores(work, protocol)["nodule"] == pytest.approx(expected)
    renamed = replace(work.loaded, case=replace(CASE, patient_id="another key's"))
    assert random_scores(replace(work, loaded=renamed), protocol)["nodule"] == pytest.approx(expected)


def test_local_contrast_is_drawn_once_an_image_for_all_findings(
    tmp_path: Path, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Heatmap] = []

    def counted(heatmap: Heatmap, **options: Any) -> Drawing:
        drawn.append(heatmap)
        return draw(heatmap, **options)

    monkeypatch.setattr("pipeline.joints.drawn.draw", counted)
    work = explained(mask_item(tmp_path, QUARTER), mask_item(tmp_path, EMPTY, "effusion"))
    loaded = replace(work.loaded, contrast=np.array([[0, 0], [0, 1]], np.float32))
    found = finished(replace(work, loaded=loaded), replace(protocol, baselines=("local_contrast",)))
    assert score(found, "iou", method="local_contrast") == 0  # the other corner
    assert score(found, "contour_on_healthy", "effusion", "local_contrast") == 1
    assert len([heatmap for heatmap in drawn if heatmap.method == ""]) == 1


def test_a_baseline_of_the_image_waits_at_the_gate_too(tmp_path: Path, protocol: Protocol) -> None:
    work = explained(mask_item(tmp_path, QUARTER), probability=0.1)
    shut = replace(gated(protocol, "predicted"), baselines=("random",))
    assert score(finished(work, shut), "iou", method="random") == 0


def test_a_peak_is_where_the_map_is_highest_with_its_raw_relevance(protocol: Protocol) -> None:
    peak = finished(explained(), protocol)["peaks"][0]
    # The 2 × 2 cells are flat from their centres, 1.5, to the edge: the maximum is pixels 0 and 1.
    assert (peak["x"], peak["y"], peak["relevance"]) == (0, 0, 2)


def test_an_image_that_was_set_aside_is_put_on_disk_and_handed_on(protocol: Protocol) -> None:
    skipped = Skipped(CASE.case_id, "load", "unreadable", "a sentence")
    assert finish_case(skipped, protocol=protocol) == skipped
    assert read_case(protocol.run, CASE.case_id) == skipped


def test_an_image_that_cannot_be_scored_is_set_aside_with_its_reason(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise CaseError("heatmap_not_finite", "a sentence")

    monkeypatch.setattr("pipeline.joints.drawn.draw", fails)
    found = finish_case(explained(), protocol=protocol)
    assert found == Skipped(CASE.case_id, "score", "heatmap_not_finite", "a sentence")
    assert read_case(protocol.run, CASE.case_id) == found


PREPROCESSING = Preprocessing.model_validate({"window": "full", "resize": {"rule": "exact", "size": [2, 3]}})


def test_a_loaded_image_is_what_the_network_takes_and_its_picture(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.array([[0, 255, 51, 0], [255, 255, 0, 0]], np.uint8))
    found = load_case(
        case("image1", uid=uid(1), path=str(path), shape=(2, 4)), preprocessing=PREPROCESSING, run=tmp_path
    )
    assert isinstance(found, Loaded)
    assert (found.shape, found.spacing_mm, found.model_input.tensor.shape) == ((2, 4), (0.5, 0.5), (1, 2, 3))
    assert found.contrast is None
    script = (tmp_path / "cases" / found.case.case_id / "pixels.js").read_bytes()
    assert read_back(script)[0].tolist() == [[0, 255, 51, 0], [255, 255, 0, 0]]


def test_local_contrast_is_made_while_the_pixels_are_there(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    image = case("image1", uid=uid(1), path=str(write_image(tmp_path, 1, grey)), shape=(20, 30))
    found = load_case(image, preprocessing=PREPROCESSING, run=tmp_path, contrast=True)
    assert isinstance(found, Loaded)
    assert found.contrast is not None
    np.testing.assert_array_equal(found.contrast, local_contrast((grey / np.float32(255)).astype(np.float32)))


def test_an_image_that_cannot_be_decoded_is_set_aside(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.zeros((4, 6), np.uint8))
    path.write_bytes(path.read_bytes()[:-10])
    found = load_case(case("image1", path=str(path)), preprocessing=PREPROCESSING, run=tmp_path)
    assert isinstance(found, Skipped)
    assert (found.subject, found.stage) == ("case-image1-0", "load")
    assert not (tmp_path / "cases").exists()

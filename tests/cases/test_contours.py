"""Contours of one case: the gate, the rule of each finding, and what baselines draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.baselines.uniform_random import uniform_random
from pipeline.cases.baselines import baselines_npz
from pipeline.cases.contours import INSIDE, Drawings, draw_contours
from pipeline.cases.protocol import Protocol
from pipeline.contours.drawing import draw
from pipeline.geometry import resample_to_image, resized, whole
from pipeline.records import ContourRule, Drawing, ExplainedCase, Heatmap, Reference
from tests.cases.explained import (
    CASE,
    EMPTY,
    QUARTER,
    SHAPE,
    explained,
    finished,
    gated,
    mask_item,
    score,
)
from tests.study import square


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


def test_a_findings_own_contour_rule_holds_for_it_alone(tmp_path: Path, protocol: Protocol) -> None:
    shut = replace(protocol.rule_for("nodule"), gate="predicted", probability=0.95)
    work = explained(mask_item(tmp_path, QUARTER), probability=0.9)

    def drawn(own: ContourRule) -> list[str]:
        rules = (("nodule", own), ("effusion", protocol.rule_for("effusion")))
        return [r["finding"] for r in finished(work, replace(protocol, rules=rules))["regions"]]

    assert drawn(shut) == ["effusion"]
    assert drawn(replace(shut, probability=0.9)) == ["nodule", "effusion"]


def test_baselines_are_scored_beside_the_network_but_draw_no_contours(
    tmp_path: Path, protocol: Protocol
) -> None:
    maps = {"location_prior/nodule": np.eye(2, dtype=np.float32)[:1]}
    protocol.run.mkdir()
    (protocol.run / "baselines.npz").write_bytes(baselines_npz(maps))
    item = mask_item(tmp_path, square(SHAPE, 0, 0, 8))
    found = finished(explained(item), replace(protocol, baselines=("location_prior",)))
    assert {s["method"] for s in found["scores"] if s["finding"] == "nodule"} == {"gradcam", "location_prior"}
    assert {s["method"] for s in found["scores"] if s["finding"] == "effusion"} == {"gradcam"}  # has no prior
    # 1 and 0 on two cells of 4 columns: at least half up to column 3, 4 of 8 columns.
    assert score(found, "iou", method="location_prior") == 0.5
    assert {r["method"] for r in found["regions"]} == {p["method"] for p in found["peaks"]} == {"gradcam"}


def random_scores(work: ExplainedCase, protocol: Protocol) -> dict[str, Any]:
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
    other = replace(work.decoded, sha256="another file")
    frame = replace(CASE, source=replace(CASE.source, frame=1))
    assert random_scores(replace(work, decoded=other), protocol) != here
    assert random_scores(replace(work, decoded=replace(work.decoded, case=frame)), protocol) != here


def test_a_random_map_is_that_of_the_input_whatever_its_pseudonym(tmp_path: Path, protocol: Protocol) -> None:
    mask = square(SHAPE, 0, 0, 4)
    work = explained(mask_item(tmp_path, mask))
    drawn = resample_to_image(uniform_random("", 0, "nodule"), resized(whole(SHAPE), (7, 7)))
    above = drawn >= 0.5 * drawn.max()
    expected = (above & mask).sum() / (above | mask).sum()
    assert random_scores(work, protocol)["nodule"] == pytest.approx(expected)
    renamed = replace(work.decoded, case=replace(CASE, patient_id="another key's"))
    assert random_scores(replace(work, decoded=renamed), protocol)["nodule"] == pytest.approx(expected)


def test_local_contrast_is_drawn_once_an_image_for_all_findings(
    tmp_path: Path, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Heatmap] = []

    def counted(heatmap: Heatmap, **options: Any) -> Drawing:
        drawn.append(heatmap)
        return draw(heatmap, **options)

    monkeypatch.setattr("pipeline.cases.contours.draw", counted)
    work = explained(mask_item(tmp_path, QUARTER), mask_item(tmp_path, EMPTY, "effusion"))
    loaded = replace(work.decoded, baselines={"local_contrast": np.array([[0, 0], [0, 1]], np.float32)})
    found = finished(replace(work, decoded=loaded), replace(protocol, baselines=("local_contrast",)))
    assert score(found, "iou", method="local_contrast") == 0  # the other corner
    assert score(found, "contour_on_healthy", "effusion", "local_contrast") == 1
    assert len([heatmap for heatmap in drawn if heatmap.method == ""]) == 1


def test_a_baseline_of_the_image_waits_at_the_gate_too(tmp_path: Path, protocol: Protocol) -> None:
    work = explained(mask_item(tmp_path, QUARTER), probability=0.1)
    shut = replace(gated(protocol, "predicted"), baselines=("random",))
    assert score(finished(work, shut), "iou", method="random") == 0


def drawn(work: ExplainedCase, protocol: Protocol, *references: Reference) -> Drawings:
    return draw_contours(work, references, protocol)


def of_maps(work: ExplainedCase, relevance: object, unit: Any = "logit") -> ExplainedCase:
    """The case with the same map of each finding."""
    cells = np.array(relevance, np.float32)
    placement = resized(whole(SHAPE), cells.shape)
    maps = (replace(h, relevance=cells, unit=unit, placement=placement) for h in work.heatmaps)
    return replace(work, heatmaps=tuple(maps))


def store(protocol: Protocol, **maps: object) -> None:
    """The run's baselines; `__` in a name is a slash."""
    arrays = {name.replace("__", "/"): np.array(cells, np.float32) for name, cells in maps.items()}
    protocol.run.mkdir(exist_ok=True)
    (protocol.run / "baselines.npz").write_bytes(baselines_npz(arrays))


def test_the_networks_contours_come_before_those_of_the_baselines(protocol: Protocol) -> None:
    store(protocol, center_prior=np.eye(2))
    found = drawn(explained(), replace(protocol, baselines=("random", "center_prior")))
    assert list(found) == [
        (method, finding)
        for method in ("gradcam", "random", "center_prior")
        for finding in ("nodule", "effusion")
    ]


def test_without_a_probability_a_finding_is_not_predicted(protocol: Protocol) -> None:
    work = replace(explained(), predictions=())
    reference = Reference(CASE.case_id, "nodule", "anna", "mask", masks=(QUARTER,))
    assert not drawn(work, gated(protocol, "predicted"))["gradcam", "nodule"].regions
    found = drawn(work, gated(protocol, "annotated"), reference)
    assert found["gradcam", "nodule"].regions
    assert not found["gradcam", "effusion"].regions  # nobody annotated that


def test_one_reader_who_annotated_opens_the_gate_though_another_saw_nothing(protocol: Protocol) -> None:
    says = [
        Reference(CASE.case_id, "nodule", name, "mask", masks=m) for name, m in (("a", ()), ("b", (QUARTER,)))
    ]
    found = drawn(explained(probability=0.1), gated(protocol, "annotated"), *says)
    assert found["gradcam", "nodule"].regions


def test_where_the_gate_is_closed_the_map_is_kept_to_be_scored(protocol: Protocol) -> None:
    work = explained(probability=0.1)
    found = drawn(work, gated(protocol, "predicted"))["gradcam", "nodule"]
    assert (found.regions, found.peak) == ((), None)
    assert found.heatmap == work.heatmaps[0]


def test_external_contours_are_drawn_as_they_are_whatever_the_rule_and_have_no_map(
    protocol: Protocol,
) -> None:
    """Two pixels, of which a rule at 0.5 of a smooth map would draw more or fewer."""
    contour = np.zeros(SHAPE)
    contour[2, 3:5] = 1
    absent = tuple((finding, ContourRule("absolute", 9.0, "all")) for finding, _ in protocol.rules)
    found = drawn(of_maps(explained(), contour, "contour"), replace(protocol, rules=absent))[
        "gradcam", "nodule"
    ]
    np.testing.assert_array_equal(found.mask, contour > 0)
    assert (found.heatmap, found.peak) == (None, None)
    (region,) = found.regions
    assert (region.rule, region.level) == ("absolute", INSIDE)
    assert INSIDE == 0.5  # halfway between outside and inside


def test_a_map_in_another_unit_is_drawn_by_the_rule_of_its_finding(protocol: Protocol) -> None:
    rules = (
        ("nodule", ContourRule("absolute", 1.5, "all")),
        ("effusion", ContourRule("fraction", 0.25, "all")),
    )
    found = drawn(explained(), replace(protocol, rules=rules))
    (nodule,), (effusion,) = (found["gradcam", finding].regions for finding in ("nodule", "effusion"))
    assert (nodule.rule, nodule.level) == ("absolute", 1.5)
    assert (effusion.rule, effusion.level) == ("fraction", 0.5)  # a quarter of 2


RING = np.pad(np.pad(np.zeros((2, 2)), 2, constant_values=1.0), 1)
"""8 × 8 cells, a pixel each: a ring of two pixels around a hole of four."""


def test_the_holes_of_a_contour_belong_to_it_where_the_rule_says(protocol: Protocol) -> None:
    areas = []
    for filled in (False, True):
        rules = tuple((finding, replace(rule, filled=filled)) for finding, rule in protocol.rules)
        found = drawn(of_maps(explained(), RING), replace(protocol, rules=rules))["gradcam", "nodule"]
        areas.append(int(found.mask.sum()))
    assert areas == [32, 36]


def test_what_is_smaller_than_either_minimum_area_is_dropped(protocol: Protocol) -> None:
    """32 pixels of 0.5 × 0.5 mm are 8 mm²."""
    work = of_maps(explained(), RING)
    measured = replace(work, decoded=replace(work.decoded, spacing_mm=(0.5, 0.5)))
    dropped = {
        minimum: drawn(measured, replace(protocol, minimum_area_px=minimum[0], minimum_area_mm2=minimum[1]))
        for minimum in ((32, 8.0), (33, 0.0), (0, 8.5))
    }
    assert [found["gradcam", "nodule"].dropped for found in dropped.values()] == [0, 1, 1]
    unmeasured = drawn(work, replace(protocol, minimum_area_mm2=8.5))
    assert unmeasured["gradcam", "nodule"].dropped == 0


def test_the_networks_contours_have_outlines_and_those_of_baselines_need_none(protocol: Protocol) -> None:
    store(protocol, center_prior=np.eye(2))
    found = drawn(explained(), replace(protocol, baselines=("center_prior",)))
    assert all(region.outlines for region in found["gradcam", "nodule"].regions)
    assert found["center_prior", "nodule"].regions
    assert not any(region.outlines for region in found["center_prior", "nodule"].regions)


def test_a_baseline_of_one_finding_goes_before_that_of_all(protocol: Protocol) -> None:
    store(protocol, location_prior=[[1, 0]], location_prior__nodule=[[0, 1]])
    found = drawn(explained(), replace(protocol, baselines=("location_prior",)))
    right = np.arange(8) >= 4
    np.testing.assert_array_equal(found["location_prior", "nodule"].mask[0], right)
    np.testing.assert_array_equal(found["location_prior", "effusion"].mask[0], ~right)


def test_baselines_are_drawn_at_the_size_of_each_image(protocol: Protocol) -> None:
    store(protocol, center_prior=[[1, 0]])
    asked, work = replace(protocol, baselines=("center_prior",)), replace(explained(), heatmaps=())
    for shape in (SHAPE, (4, 6), SHAPE):
        sized = replace(work, decoded=replace(work.decoded, shape=shape))
        assert drawn(sized, asked)["center_prior", "nodule"].mask.sum() == shape[0] * shape[1] / 2


def test_a_scaled_baseline_is_drawn_between_its_extremes(protocol: Protocol) -> None:
    """Of -1 and 1 half of the way is 0: of 8 columns, 4 lie above it."""
    store(protocol, center_prior=[[-1, 1]])
    asked = replace(protocol, baselines=("center_prior",), scaling="minmax")
    found = drawn(explained(), asked)["center_prior", "nodule"]
    assert found.mask.sum() == 32
    assert found.heatmap is not None
    assert found.heatmap.relevance.tolist() == [[0, 1]]


def test_where_the_gate_is_closed_baselines_of_every_kind_keep_their_maps(protocol: Protocol) -> None:
    store(protocol, center_prior=[[0, 1]])
    work = explained(probability=0.1)
    seen = replace(work.decoded, baselines={"local_contrast": np.eye(2, dtype=np.float32)})
    shut = replace(gated(protocol, "predicted"), baselines=("center_prior", "random", "local_contrast"))
    found = drawn(replace(work, decoded=seen), shut)
    assert len(found) == 2 * 4
    assert all(not drawing.regions and drawing.heatmap is not None for drawing in found.values())


def test_a_file_of_baselines_that_holds_objects_is_refused(protocol: Protocol) -> None:
    protocol.run.mkdir()
    np.savez(protocol.run / "baselines.npz", center_prior=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match="allow_pickle"):
        drawn(explained(), replace(protocol, baselines=("center_prior",)))

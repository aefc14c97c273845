"""Exported maps, scored as maps of another tool: they get the scores of the run that they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.delivery.export import ExportOptions, export
from pipeline.delivery.folder import open_folder
from pipeline.delivery.results import exported_frame, exported_run
from pipeline.executors.here import Here
from pipeline.exports import EXPORTS
from pipeline.plan import make_plan
from pipeline.reporting.run_folder import read_run
from pipeline.run.outcome import Outcome
from tests.study import FINDINGS, GRID, write_model
from tests.test_score import numbers, rows, scored, settings, write

TABLES = ("scores.csv", "cases.csv", "thresholds.csv", "skill.csv", "comparisons.csv")


@dataclass(frozen=True)
class Audited:
    folder: Path
    run: Outcome

    @property
    def path(self) -> Path:
        return self.run.index.parent


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """An audit by one method with negative relevance and one without; contours of predicted findings."""
    folder = write(tmp_path_factory.mktemp("study"))
    for number, path in enumerate(sorted((folder / "images").iterdir())):
        image = dcmread(path)
        image.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.1.5.{number}"
        image.save_as(path)
    model = write_model(folder / "model")
    values = settings(folder, model=str(model), methods=["gradcam", "layercam"], contours__gate="annotated")
    return Audited(folder, audit(make_plan(load_config(None, values)), executor=Here()))


def sorted_rows(run: Outcome, name: str) -> list[dict[str, object]]:
    """The rows of a table, sorted: files are found in the order of their names, which are hashes."""
    return sorted(numbers(rows(run, name)), key=repr)


def scored_again(audited: Audited, kind: str, **changed: str) -> Outcome:
    """The run of the objects of a kind, made as a config says without a word on exports."""
    to = audited.folder / "-".join((kind, *changed.values()))
    target = open_folder(to, audited.path, run_id=audited.path.name, pseudonymous=False, kinds=EXPORTS.own)
    settings = load_config(None, {}).exports.settings | changed
    done = export(audited.path, audited.folder / "images", target, ExportOptions((kind,), settings=settings))
    assert done.counts[kind] > 0
    maps = audited.folder / "maps"
    (to / kind).rename(maps)
    try:
        gate = "all" if kind == "seg" else "annotated"  # of a closed gate no contour is exported
        return scored(audited.folder, contours__gate=gate, heatmaps__findings=FINDINGS)
    finally:
        maps.rename(to / kind)


def ious(run: Outcome) -> dict[tuple[str, str, str], str]:
    """Image, finding and method → the IoU, or why there is none."""
    uids = {row["pseudonym"]: row["sop_instance_uid"] for row in rows(run, "crosswalk.csv")}
    return {
        (uids[row["case_id"]], row["finding"], row["method"]): row["value"] or row["undefined_because"]
        for row in rows(run, "scores.csv")
        if row["metric"] == "iou" and row["method"] in {"gradcam", "layercam"}
    }


@pytest.fixture(scope="module")
def maps_again(audited: Audited) -> Outcome:
    return scored_again(audited, "parametric_map")


@pytest.mark.parametrize("kind", ["parametric_map", "seg"])
def test_what_can_be_scored_gets_the_scores_of_its_run_by_default(audited, maps_again, kind):
    again = maps_again if kind == "parametric_map" else scored_again(audited, kind)
    found, wanted = ious(again), ious(audited.run)
    assert {method for _, _, method in found} == {"gradcam", "layercam"}
    assert found == {key: wanted[key] for key in found}
    if kind == "parametric_map":
        assert found == wanted  # a SEG has no segment of a map without contours


def test_maps_get_all_tables_of_their_run(audited, maps_again):
    for name in TABLES:
        assert sorted_rows(maps_again, name) == sorted_rows(audited.run, name), name
    assert maps_again.passed


def test_maps_on_the_grid_of_the_image_get_them_where_no_relevance_is_negative(audited):
    again = scored_again(audited, "parametric_map", map_grid="image")
    ours, wanted = (
        [row for row in sorted_rows(run, "scores.csv") if row["method"] == "layercam"]
        for run in (again, audited.run)
    )
    assert ours == wanted
    assert len(ours) > 6 * len(FINDINGS)


def test_predictions_and_operating_points_are_those_of_the_network(audited, maps_again):
    for ours, wanted in zip(
        rows(maps_again, "predictions.csv"), rows(audited.run, "predictions.csv"), strict=True
    ):
        assert float(ours["probability"]) == pytest.approx(float(wanted["probability"]), abs=1e-12)
        assert ours["threshold"] == wanted["threshold"]


def test_pictures_get_annotations_overlays_and_a_font(audited):
    run = read_run(audited.path)
    frame = exported_frame(run, run.case_ids[0], worst=frozenset(), disputed=frozenset())
    case = run.case(run.case_ids[0])
    for found in frame.findings:
        stated = [entry for entry in case["references"] if entry["finding"] == found.finding]
        assert [one.reader for one in found.readers] == [
            entry["reader"] for entry in stated if entry["outlines"] or entry["boxes"]
        ]
    picture = frame.picture()
    overlay = frame.overlay(FINDINGS[0], "layercam", "inferno")
    assert overlay.shape == picture.shape == (GRID, GRID, 3)
    assert not np.array_equal(overlay, picture)
    assert exported_run(run).font[:4] == b"\x00\x01\x00\x00"

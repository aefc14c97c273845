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


def scored_again(audited: Audited, *, map_grid: str) -> Outcome:
    to = audited.folder / map_grid
    target = open_folder(to, audited.path, run_id=audited.path.name, pseudonymous=False)
    options = ExportOptions(("parametric_map",), settings={"map_grid": map_grid})
    done = export(audited.path, audited.folder / "images", target, options)
    assert done.counts == {"parametric_map": 6 * len(FINDINGS) * 2}
    assert not done.left_out
    maps = audited.folder / "maps"
    (to / "parametric_map").rename(maps)
    try:
        return scored(audited.folder, contours__gate="annotated", heatmaps__findings=FINDINGS)
    finally:
        maps.rename(to / "parametric_map")


def test_maps_on_their_own_grid_get_the_scores_of_their_run(audited):
    again = scored_again(audited, map_grid="own")
    for name in TABLES:
        assert sorted_rows(again, name) == sorted_rows(audited.run, name), name
    assert again.passed


def test_maps_on_the_grid_of_the_image_get_them_where_no_relevance_is_negative(audited):
    again = scored_again(audited, map_grid="image")
    ours, wanted = (
        [row for row in sorted_rows(run, "scores.csv") if row["method"] == "layercam"]
        for run in (again, audited.run)
    )
    assert ours == wanted
    assert len(ours) > 6 * len(FINDINGS)


def test_predictions_and_operating_points_are_those_of_the_network(audited):
    again = scored_again(audited, map_grid="own")
    for ours, wanted in zip(
        rows(again, "predictions.csv"), rows(audited.run, "predictions.csv"), strict=True
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

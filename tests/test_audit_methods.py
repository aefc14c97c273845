"""A whole run with methods of every kind, at layers, at the input and wrapped: stored, scored, reported."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.run.outcome import Outcome
from tests.study import FINDINGS, GRID, write_model, write_study

METHODS: list[Any] = [
    "gradcam",
    "layercam@stride4",
    {"method": "integrated_gradients", "steps": 4, "name": "IG"},
    {"method": "smoothgrad", "of": "gradcam", "samples": 2},
    {"method": "layers", "of": ["gradcam@stride4", "gradcam"]},
]
NAMES = ["gradcam", "layercam@stride4", "IG", "smoothgrad(gradcam)", "layers(gradcam@stride4, gradcam)"]
IMAGES = 4


def run(folder: Path, methods: list[Any], **settings: Any) -> Outcome:
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "workers": 1,
        "batch_size": 4,
        "methods": methods,
        "contours.gate": "all",
        "statistics.replicates": 100,
        **settings,
    }
    return audit(make_plan(load_config(None, overrides)), executor=Here())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder, count=IMAGES)
    write_model(folder / "model")
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> Outcome:
    return run(folder, METHODS)


def rows(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_method_is_in_the_manifest_with_its_layers_and_unit(finished: Outcome) -> None:
    manifest = json.loads((finished.index.parent / "manifest.json").read_text())
    found = [(m["name"], m["layer"], m["unit"]) for m in manifest["methods"] if m["kind"] == "network"]
    assert found == [
        ("gradcam", "class_layers.relu", "logit"),
        ("layercam@stride4", "features.transition1.conv", "relative"),
        ("IG", "", "logit"),
        ("smoothgrad(gradcam)", "class_layers.relu", "logit"),
        ("layers(gradcam@stride4, gradcam)", "features.transition1.conv, class_layers.relu", "relative"),
    ]
    assert manifest["config"]["methods"] == METHODS


def test_every_method_is_scored_on_every_image_and_finding(finished: Outcome) -> None:
    scored = [
        (row["method"], row["case_id"], row["finding"])
        for row in rows(finished, "scores.csv")
        if row["metric"] == "iou"
    ]
    for name in NAMES:
        assert len({key for key in scored if key[0] == name}) == IMAGES * len(FINDINGS)
    summarised = {row["method"] for row in rows(finished, "summary.csv") if row["metric"] == "iou"}
    assert summarised >= set(NAMES)


def test_every_map_is_stored_on_its_own_grid(finished: Outcome) -> None:
    grids = {"gradcam": (8, 8), "layercam@stride4": (16, 16), "IG": (GRID, GRID)}
    grids |= {"smoothgrad(gradcam)": (8, 8), "layers(gradcam@stride4, gradcam)": (16, 16)}
    cases = sorted((finished.index.parent / "cases").glob("*/heatmaps.npz"))
    assert len(cases) == IMAGES
    for path in cases:
        with np.load(path, allow_pickle=False) as stored:
            shapes = {key: stored[key].shape for key in stored.files}
        assert shapes == {f"{name}/{finding}": grids[name] for name in NAMES for finding in FINDINGS}


def test_the_peak_on_the_image_lies_in_the_highest_cell_of_fine_and_coarse_maps(finished: Outcome) -> None:
    for path in sorted((finished.index.parent / "cases").glob("*/case.json")):
        peaks = json.loads(path.read_text())["peaks"]
        assert {peak["method"] for peak in peaks} == set(NAMES)
        with np.load(path.with_name("heatmaps.npz"), allow_pickle=False) as stored:
            for peak in peaks:
                relevance = stored[f"{peak['method']}/{peak['finding']}"]
                row, column = (int((peak[axis] + 0.5) * len(relevance) / GRID) for axis in ("y", "x"))
                assert relevance[row, column] >= 0.99 * relevance.max()


def test_every_method_is_in_the_report(finished: Outcome) -> None:
    page = finished.index.read_text()
    assert [name for name in NAMES if name not in page] == []
    for script in sorted((finished.index.parent / "cases").rglob("*.js")):
        if script.name in {"run.js", "case.js"}:
            assert [name for name in NAMES if name not in script.read_text()] == []


def test_a_single_method_gives_what_it_gives_among_others(folder: Path, finished: Outcome) -> None:
    alone = run(folder, ["gradcam"])
    ours = [row for row in rows(finished, "scores.csv") if row["method"] == "gradcam"]
    assert [row for row in rows(alone, "scores.csv") if row["method"] == "gradcam"] == ours


@pytest.mark.parametrize(
    ("methods", "complaint"),
    [
        (["cam@stride4"], "the layer is not followed by a global average pool"),
        (["gradcam@stride3"], "the network has no activation of stride 3"),
        ([{"method": "integrated_gradients", "step": 4}], "step: unknown option of integrated_gradients"),
    ],
)
def test_what_the_network_cannot_support_ends_the_run_before_anything_is_written(
    folder: Path, methods: list[Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        run(folder, methods, out=str(folder / "refused"))
    assert not (folder / "refused").exists()

"""Plug-ins of another package are found through its entry points, and run like Heatproof's own."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.contracts import Metric
from pipeline.errors import ConfigError
from pipeline.registry import Registry
from tests.study import write_model, write_study

ROOT = Path(__file__).parents[1]
PACKAGE = Path(__file__).parent / "plugins"
SPACING_MM, TOLERANCE_MM = 0.5, 10.0
"""Of the study's pixels, and from which distance on a point is missed."""


def installed(site: Path, points: dict[str, dict[str, str]], *, name: str, version: str) -> None:
    """What pip leaves of a package beside its modules: its name, version and entry points."""
    information = site / f"{name.replace('-', '_')}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"[{group}]\n" + "\n".join(map(" = ".join, found.items())) for group, found in points.items()]
    (information / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with that of the lab in it."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE / "heatproof_lab", site / "heatproof_lab")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    installed(site, project["entry-points"], name=project["name"], version=project["version"])
    return site


def heatproof(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-P", "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def write_lines(folder: Path) -> None:
    """The nodules of the study as a lab writes them: boxes, polygons, and points in their middles."""
    boxes, polygons, points = [], [], []
    for number in (1, 3, 5):
        top, left = 5 + 3 * number - 0.5, 7.5
        corners = [(left, top), (left + 20, top), (left + 20, top + 20), (left, top + 20)]
        boxes.append(f"image{number} nodule {left} {top} 20 20")
        polygons.append(" ".join(map(str, [f"image{number} nodule", *(x for c in corners for x in c)])))
        points.append(f"image{number} nodule {left + 10} {top + 10}")
    for name, lines in (("boxes", boxes), ("polygons", polygons), ("points", points)):
        (folder / f"{name}.txt").write_text("\n".join(lines))


CONFIG: dict[str, Any] = {
    "annotations": {
        "sources": [
            {"format": "png", "pattern": "masks/{finding}/{image}.png", "reader": "pixels"},
            {"format": "lab_polygons", "file": "polygons.txt", "reader": "lines"},
            {"format": "lab_boxes", "file": "boxes.txt", "reader": "boxer"},
            {"format": "lab_points", "file": "points.txt", "reader": "pointer"},
        ],
    },
    "methods": ["gradcam", {"method": "lab_channels", "power": 2.0}],
    "metrics": ["iou", "hit", "box_iou", "box_hit", "point_hit", "lab_area_ratio"],
    "contours": {"rule": "lab_middle", "threshold": 0.5, "gate": "all"},
    "baselines": {"random": False, "lab_left": True},
    "backend": "lab_plain",
    "readers": {"consensus": None},
    "statistics": {"replicates": 100},
    "workers": 1,
}


@pytest.fixture(scope="module")
def run(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an audit in which everything is the lab's that can be."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    write_lines(folder)
    model = write_model(folder / "model")
    (folder / "lab.yaml").write_text(yaml.safe_dump(CONFIG))
    done = heatproof(
        site, "audit", "--studies", str(folder / "images"), "--annotations", str(folder),
        "--model", str(model), "--config", str(folder / "lab.yaml"), "--out", str(folder / "out"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "out").glob("tiny-*")
    return run


def rows(run: Path, name: str, **wanted: str) -> list[dict[str, str]]:
    with (run / name).open(newline="") as file:
        return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]


def manifest(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return content


def test_a_method_draws_maps_with_its_options(run: Path) -> None:
    assert [entry["name"] for entry in manifest(run)["methods"]][:2] == ["gradcam", "lab_channels"]
    assert rows(run, "scores.csv", method="lab_channels", metric="iou", reader="pixels")


def test_a_metric_is_scored_and_explains_itself(run: Path) -> None:
    scored = rows(run, "scores.csv", metric="lab_area_ratio", reader="pixels", method="gradcam")
    assert {row["value"] for row in scored} - {""}
    assert "Area ratio" in {metric["title"] for metric in manifest(run)["metrics"]}


def test_a_rule_draws_in_its_own_words_and_brings_its_twin_to_the_page(run: Path) -> None:
    rule = manifest(run)["contours"]["rules"]["nodule"]
    assert rule["words"] == "pixels from 0.5 of the way from minimum to maximum"
    assert "pixels from 0.5 of the way from minimum to maximum" in (run / "index.html").read_text()
    case = next((run / "cases").glob("case-*/index.html")).read_text()
    assert "static/rule-lab_middle.js" in case
    assert (run / "static/rule-lab_middle.js").read_text().startswith('"use strict"')


def test_a_baseline_is_scored_and_described_in_its_own_words(run: Path) -> None:
    assert rows(run, "scores.csv", method="lab_left", metric="iou")
    page = (run / "index.html").read_text()
    assert "the left half of every image; never saw the image" in page
    assert "left half" in page


def test_a_check_is_made_before_the_first_study(run: Path) -> None:
    assert "lab_finite" in {check["name"] for check in manifest(run)["checks"]}


def test_the_manifest_names_the_package_that_results_depend_on(run: Path) -> None:
    assert manifest(run)["versions"]["heatproof-lab"] == "1.0"


def of_reader(run: Path, reader: str, metric: str, method: str = "gradcam") -> dict[str, str]:
    found = rows(run, "scores.csv", finding="nodule", reader=reader, metric=metric, method=method)
    return {row["case_id"]: row["value"] for row in found if row["value"]}


@pytest.mark.parametrize("metric", ["iou", "hit", "lab_area_ratio"])
def test_polygons_are_scored_as_the_masks_that_they_outline(run: Path, metric: str) -> None:
    assert of_reader(run, "lines", metric) == of_reader(run, "pixels", metric)
    assert len(of_reader(run, "lines", metric)) == 3


def test_polygons_keep_their_corners_in_the_report(run: Path) -> None:
    cases = [json.loads(path.read_text()) for path in (run / "cases").glob("*/case.json")]
    drawn = [r for case in cases for r in case["references"] if r["reader"] == "lines"]
    assert all(len(reference["outlines"][0]) == 4 for reference in drawn if reference["outlines"])
    assert {r["kind"] for r in drawn if r["outlines"]} == {"polygon"}


def test_boxes_of_another_package_are_scored_as_boxes(run: Path) -> None:
    assert len(of_reader(run, "boxer", "box_iou")) == 3
    assert of_reader(run, "boxer", "iou") == {}


def test_a_point_is_hit_within_the_tolerance(run: Path) -> None:
    found = of_reader(run, "pointer", "point_hit")
    assert len(found) == 3
    for case_id, value in found.items():
        case = json.loads((run / "cases" / case_id / "case.json").read_text())
        (point,) = (p for r in case["references"] if r["reader"] == "pointer" for p in r["points"])
        peak = next(p for p in case["peaks"] if (p["finding"], p["method"]) == ("nodule", "gradcam"))
        apart = SPACING_MM * math.hypot(point[0] - peak["x"], point[1] - peak["y"])
        assert float(value) == (apart <= TOLERANCE_MM)


def test_readers_of_different_kinds_are_not_scored_against_each_other(run: Path) -> None:
    pairs = {(row["method"], row["reader"]) for row in rows(run, "scores.csv") if "reader " in row["method"]}
    assert pairs == {("reader lines", "pixels"), ("reader pixels", "lines")}


def test_a_backend_runs_the_network_and_is_compared_with_torch(run: Path) -> None:
    assert manifest(run)["backend"] == "lab_plain"
    (drift,) = (check for check in manifest(run)["checks"] if check["name"] == "drift")
    assert drift["passed"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "contours.rule=lab_midle",
            "contours.rule: unknown threshold rule 'lab_midle'; did you mean 'lab_middle'?",
        ),
        ("backend=lab_plane", "backend: unknown backend 'lab_plane'; did you mean 'lab_plain'?"),
        (
            "backend=nonsense",
            "backend: unknown backend 'nonsense'; choose one of: auto, compile, lab_plain, openvino, torch",
        ),
    ],
)
def test_a_misspelt_plug_in_is_refused_with_the_nearest_name(
    site: Path, run: Path, setting: str, message: str
) -> None:
    folder = run.parents[1]
    done = heatproof(
        site, "audit", "--studies", str(folder / "images"), "--annotations", str(folder),
        "--model", str(folder / "model" / "tiny.yaml"), "--set", setting,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr


def test_a_format_of_external_maps_is_scored_by_its_suffix(site: Path, run: Path, tmp_path: Path) -> None:
    folder = run.parents[1]
    maps = tmp_path / "maps"
    maps.mkdir()
    for number in range(1, 7):
        (maps / f"image{number}__nodule.lab.txt").write_text("0 1\n0 0\n")
    done = heatproof(
        site, "score", "--studies", str(folder / "images"), "--annotations", str(folder),
        "--heatmaps", str(maps), "--out", str(folder / "scored"), "--config", str(folder / "lab.yaml"),
        "--set", "methods=[gradcam]",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (scored,) = (folder / "scored").glob("heatmaps-*")
    assert manifest(scored)["heatmaps"]["formats"] == ["lab_text"]
    assert manifest(scored)["versions"]["heatproof-lab"] == "1.0"
    assert len({row["case_id"] for row in rows(scored, "scores.csv", metric="iou") if row["value"]}) == 3


def test_a_check_of_annotations_finds_its_problems(site: Path, run: Path) -> None:
    folder = run.parents[1]
    done = heatproof(
        site, "validate", "--studies", str(folder / "images"), "--annotations", str(folder),
        "--out", str(folder / "checked"),
    )  # fmt: skip
    (checked,) = (folder / "checked").glob("validation-*")
    assert rows(checked, "problems.csv", check="lab_single_reader"), done.stderr
    assert manifest(checked)["versions"]["heatproof-lab"] == "1.0"


@pytest.fixture
def shapes_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry[object]]:
    """Makes a registry of shapes, some of which an installed package provides."""

    def install(wanted: type | None = None, **shapes: str) -> Registry[object]:
        installed(tmp_path, {"heatproof.shapes": shapes}, name="shapes-lab", version="2.1")
        monkeypatch.syspath_prepend(str(tmp_path))
        return Registry("shape", {"circle": "math:pi"}, group="heatproof.shapes", wanted=wanted)

    return install


def test_names_of_others_come_after_heatproofs_own(
    shapes_of: Callable[..., Registry[object]],
) -> None:
    shapes = shapes_of(round="math:tau")
    assert list(shapes) == ["circle", "round"]
    assert shapes["round"] == math.tau
    assert shapes.packages(["circle", "round"]) == {"shapes-lab": "2.1"}


def test_a_name_that_is_provided_twice_is_refused_where_it_is_used(
    shapes_of: Callable[..., Registry[object]],
) -> None:
    shapes = shapes_of(circle="math:tau", round="math:tau")
    assert list(shapes) == ["circle", "round"]
    assert shapes["round"] == math.tau
    message = (
        r"^the shape 'circle' is provided by Heatproof and by the package shapes-lab; uninstall a package"
    )
    with pytest.raises(ConfigError, match=message):
        shapes.check("circle")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "triangle"}, "calls itself 'triangle', wanted its entry point's name"),
        ({"level": "pixel"}, "has level 'pixel', wanted one of 'image', 'lesion'"),
        ({"better": "up"}, "has better 'up', wanted one of 'higher', 'lower'"),
    ],
)
def test_a_metric_that_contradicts_its_contract_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], problem: str
) -> None:
    (tmp_path / "wrong_metric.py").write_text(
        "from dataclasses import replace\nfrom pipeline.metrics.overlap import IOU\n"
        f"SQUARE = replace(IOU, **{ ({'name': 'square'} | change)!r})\n"
    )
    installed(tmp_path, {"heatproof.shapes": {"square": "wrong_metric:SQUARE"}}, name="wrong", version="1")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "wrong_metric", raising=False)
    with pytest.raises(ConfigError, match=f"the metric 'square' from the package wrong {problem}; "):
        Registry("metric", {}, group="heatproof.shapes", wanted=Metric)["square"]


@pytest.mark.parametrize("place", ["no_such_module:x", "math:no_such_name"])
def test_a_plug_in_that_cannot_be_loaded_is_reported_with_its_package(
    shapes_of: Callable[..., Registry[object]], place: str
) -> None:
    with pytest.raises(
        ConfigError, match=r"the shape 'round' from the package shapes-lab cannot be loaded \("
    ):
        shapes_of(round=place)["round"]


def test_a_plug_in_of_another_kind_is_reported(shapes_of: Callable[..., Registry[object]]) -> None:
    with pytest.raises(
        ConfigError, match=r"'round' from the package shapes-lab has the type float, wanted builtins\.str; "
    ):
        shapes_of(str, round="math:tau")["round"]

"""Scoring of external maps: a network's own maps, read from files, get the scores of its audit."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.external_maps.plan import ScorePlan, make_score_plan
from pipeline.geometry import resample_to_image
from pipeline.plan import make_plan
from pipeline.records import Intensity, Placement, Shape
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.survey import survey
from pipeline.run.outcome import Outcome
from pipeline.score import score
from tests.annotations.segmentations import source_image, write_segmentation
from tests.page_text import page_text
from tests.study import FINDINGS, GRID, square, uid, write_model, write_study
from tests.volatile import contents

ROOT = Path(__file__).parents[1]


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "studies": str(folder / "images"),
        "annotations.path": str(folder / "said"),
        "out": str(folder / "out"),
        "workers": 1,
        "statistics.replicates": 100,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def plan_of(folder: Path, **more: Any) -> ScorePlan:
    values = settings(folder, heatmaps__path=str(folder / "maps"), **more)
    return make_score_plan(load_config(None, values), executor=Here())


def scored(folder: Path, **more: Any) -> Outcome:
    return score(plan_of(folder, **more), executor=Here())


def rows(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(folder: Path, lines: list[Mapping[str, object]]) -> None:
    with (folder / "heatmaps.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def on_image(cells: Intensity, grid: Mapping[str, Any], shape: Shape) -> Intensity:
    """The positive part of a raw map on the image, placed as the case's file says."""
    placement = Placement(
        tuple(grid["grid"]),
        shape,
        tuple(grid["scale"]),
        tuple(grid["offset"]),
        tuple(map(tuple, grid["overhang"])),
    )
    return resample_to_image(np.maximum(cells, 0), placement)


def bring(audited: Outcome, folder: Path, *, probabilities: bool) -> None:
    """The maps of an audit, resampled to the image, as .npy files with a table."""
    folder.mkdir()
    uids = {row["pseudonym"]: row["sop_instance_uid"] for row in rows(audited, "crosswalk.csv")}
    chances = {(r["case_id"], r["finding"]): r["probability"] for r in rows(audited, "predictions.csv")}
    lines: list[Mapping[str, object]] = []
    for case_id in (row["case_id"] for row in rows(audited, "cases.csv")):
        place = audited.index.parent / "cases" / case_id
        case = json.loads((place / "case.json").read_text())
        shape = case["rows"], case["columns"]
        grids = {f"{entry['method']}/{entry['finding']}": entry for entry in case["maps"]}
        with np.load(place / "heatmaps.npz") as maps:
            for name in maps.files:
                method, finding = name.split("/")
                file = f"{len(lines)}.npy"
                np.save(folder / file, on_image(maps[name], grids[name], shape))
                line: dict[str, object] = {
                    "file": file, "sop_instance_uid": uids[case_id], "finding": finding, "method": method,
                }  # fmt: skip
                if probabilities:
                    line["probability"] = chances[case_id, finding]
                lines.append(line)
    write_table(folder, lines)


def write(folder: Path) -> Path:
    """A study with what the readers said in a folder of its own: maps beside it are no annotations."""
    write_study(folder)
    (folder / "said").mkdir()
    for name in ("masks", "labels.csv"):
        (folder / name).rename(folder / "said" / name)
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def audited(study: Path) -> Outcome:
    model = write_model(study / "model")
    values = settings(study, model=str(model), methods=["gradcam", "layercam"], contours__gate="annotated")
    return audit(make_plan(load_config(None, values)), executor=Here())


@pytest.fixture(scope="module")
def external(study: Path, audited: Outcome) -> Outcome:
    bring(audited, study / "maps", probabilities=True)
    return scored(study, contours__gate="annotated", heatmaps__findings=FINDINGS)


def numbers(table: list[dict[str, str]]) -> list[dict[str, object]]:
    """The rows with numbers to six digits: sums over cells and over pixels round differently."""
    return [{key: _rounded(value) for key, value in row.items()} for row in table]


def _rounded(value: str) -> object:
    try:
        return float(f"{float(value):.6g}")
    except ValueError:
        return value


def test_the_networks_own_maps_get_the_scores_of_the_audit(audited: Outcome, external: Outcome) -> None:
    for name in ("scores.csv", "cases.csv", "thresholds.csv", "skill.csv", "comparisons.csv"):
        assert numbers(rows(external, name)) == numbers(rows(audited, name)), name
    assert external.passed


def test_external_probabilities_are_classified_as_the_networks_own(
    audited: Outcome, external: Outcome
) -> None:
    ours, wanted = (
        [row for row in rows(run, "summary.csv") if row["method"] == "classifier"]
        for run in (external, audited)
    )
    assert ours == wanted
    assert len(ours) == 7 * len(FINDINGS)


def test_the_report_of_external_maps_names_no_network(external: Outcome) -> None:
    manifest = json.loads((external.index.parent / "manifest.json").read_text())
    assert not {"card", "weights_sha256", "device", "backend", "precision"} & manifest.keys()
    assert not {"torch", "monai"} & manifest["versions"].keys()
    assert manifest["checks"] == []
    assert manifest["heatmaps"] == {
        "maps": 24, "files": 24, "formats": ["array"], "probabilities": True, "gate_opened": False,
        "sha256": manifest["heatmaps"]["sha256"],
    }  # fmt: skip
    page = page_text(external.index)
    assert "none was run; the maps were computed elsewhere" in page
    assert "Heatmaps on 6 images" in page
    assert "Self-checks" not in page
    assert "no self-check was possible" in page


def test_a_killed_scoring_goes_on_to_the_same_bytes(study: Path, external: Outcome) -> None:
    run = external.index.parent
    before = contents(run)
    case_id = rows(external, "cases.csv")[2]["case_id"]
    for name in ("case.json", "case.js"):
        (run / "cases" / case_id / name).unlink()
    (run / "crosswalk.csv").unlink()  # its hashes are beside the cases until a run ends
    for path in (run / "cases").glob("*/case.json"):
        path.unlink()
    again = scored(study, contours__gate="annotated", heatmaps__findings=FINDINGS)
    assert again.index.parent == run
    assert contents(run) == before


def test_scoring_loads_no_torch(study: Path, external: Outcome) -> None:
    """With what the command itself loads, in a process of its own."""
    assert external.passed  # the maps are there
    names = {"studies": "images", "annotations": "said", "heatmaps": "maps", "out": "elsewhere"}
    arguments = [word for name, place in names.items() for word in (f"--{name}", str(study / place))]
    code = (
        "import sys; from pipeline.cli.main import main; code = main(sys.argv[1:]); "
        "print(code, sorted({'torch', 'monai'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "score",
            *arguments,
            "--set",
            "workers=1",
            "--set",
            "statistics.replicates=50",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "0 []", ended.stdout + ended.stderr


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Six images with masks and labels, and a folder for maps."""
    (write(tmp_path) / "maps").mkdir()
    return tmp_path


def save_all(folder: Path, numbers: range = range(1, 7)) -> None:
    """A map of each finding on each image, highest in the lower right."""
    for number in numbers:
        for finding in FINDINGS:
            np.save(folder / f"image{number}__{finding}.npy", np.arange(4.0).reshape(2, 2))


def test_without_probabilities_the_default_gate_is_opened_and_the_report_says_so(bare: Path) -> None:
    save_all(bare / "maps")
    run = scored(bare)
    manifest = json.loads((run.index.parent / "manifest.json").read_text())
    assert (
        {rule["gate"] for rule in manifest["contours"]["rules"].values()},
        manifest["heatmaps"]["gate_opened"],
    ) == ({"all"}, True)
    assert "(therefore contours are drawn for every finding)" in page_text(run.index)
    assert not [row for row in rows(run, "summary.csv") if row["method"] == "classifier"]
    assert not rows(run, "predictions.csv")
    assert {r["value"] for r in rows(run, "scores.csv") if r["metric"] == "contour_on_healthy"} == {"", "1.0"}


@pytest.mark.parametrize(
    "more",
    [
        {"contours__gate": "predicted"},
        {"contours__gate": "all", "contours__findings": {"nodule": {"gate": "predicted"}}},
    ],
)
def test_a_gate_that_cannot_be_applied_is_opened_and_told(bare: Path, more: dict[str, Any]) -> None:
    save_all(bare / "maps")
    plan = plan_of(bare, **more)
    (note,) = plan.notes
    assert note.startswith("No map has a probability, so contours are drawn for every finding")
    assert note.endswith("; add a column probability to heatmaps.csv to apply the gate of the config")
    assert {rule.gate for rule in plan.rules.values()} == {"all"}


def test_what_an_audits_config_says_of_findings_without_maps_is_told_and_left_out(bare: Path) -> None:
    save_all(bare / "maps")
    more = {
        "contours__gate": "all",
        "contours__findings": {"nodule": {"threshold": 0.4}, "noduel": {"threshold": 0.5}, "scar": {}},
        "annotations__findings": {"Mass": "scar", "Nodule": "nodule"},
    }
    plan = plan_of(bare, **more)
    typed, other = plan.notes
    assert typed.startswith(
        "No map shows noduel, so it is not scored, and contours.findings of the config is not"
    )
    assert typed.endswith("used for it; did you mean 'nodule'?")
    assert other.startswith(
        "No map shows scar, so it is not scored, and contours.findings and annotations.findings"
    )
    assert other.endswith("of the config are not used for it")
    assert plan.rules["nodule"].threshold == 0.4
    assert plan.config.annotations.findings == {
        "Mass": None, "Nodule": "nodule", "noduel": None, "scar": None,
    }  # fmt: skip


def test_bad_maps_are_skipped_with_their_reasons_and_the_run_goes_on(bare: Path) -> None:
    maps = bare / "maps"
    save_all(maps, range(1, 5))
    (maps / "image1__nodule.npy").write_bytes(b"no array")
    np.save(maps / "image2__nodule.npy", np.full((2, 2), np.inf))
    for finding in FINDINGS:
        np.save(maps / f"image4__{finding}.npy", np.zeros((2, 2, 2)))
    np.save(maps / "image9__nodule.npy", np.eye(2))
    np.save(maps / "image3__scar.npy", np.eye(2))
    np.save(maps / "nameless.npy", np.eye(2))
    run = scored(bare, heatmaps__findings=FINDINGS)
    skipped = sorted(
        (row["stage"], row["reason"]) for row in rows(run, "skipped.csv") if row["stage"] != "index"
    )
    assert skipped == [
        ("explain", "heatmap_shape"),  # both maps of image 4
        ("explain", "image_without_heatmap"),
        ("explain", "image_without_heatmap"),
        ("heatmaps", "heatmap_not_finite"),
        ("heatmaps", "heatmap_unnamed"),
        ("heatmaps", "heatmap_unreadable"),
        ("heatmaps", "heatmap_without_image"),
        ("heatmaps", "unknown_finding"),
    ]
    assert (run.images, len(run.results.audited)) == (6, 3)
    assert run.missed_share == 0.5
    assert not run.passed
    lost = [r for r in rows(run, "scores.csv") if r["undefined_because"] == "no_heatmap"]
    assert {(r["finding"], r["method"]) for r in lost} == {("nodule", "heatmap")}
    assert len({r["case_id"] for r in lost}) == 2
    crosswalk = {
        row["pseudonym"]: row["file"] for row in rows(run, "crosswalk.csv") if row["kind"] == "heatmap"
    }
    assert sorted(crosswalk.values()) == ["image9", "nameless.npy"]
    assert "scar" in [row["file"] for row in rows(run, "crosswalk.csv") if row["kind"] == "finding"]


@pytest.mark.parametrize("more", [{}, {"heatmaps__findings": FINDINGS}], ids=["known", "named"])
def test_a_map_of_a_finding_that_nobody_knows_is_called_so_in_the_crosswalk_alone(
    bare: Path, more: dict[str, Any]
) -> None:
    save_all(bare / "maps")
    np.save(bare / "maps" / "image1__ZQNAME^JOHN 1950.npy", np.eye(2))
    run = scored(bare, **more)
    assert run.results.skipped[-1].reason == "unknown_finding"
    telling = [p.name for p in run.index.parent.rglob("*") if p.is_file() and b"ZQNAME" in p.read_bytes()]
    assert telling == ["crosswalk.csv"]


def test_where_nobody_knows_the_maps_findings_the_complaint_does_not_quote_them(bare: Path) -> None:
    np.save(bare / "maps" / "image1__ZQNAME.npy", np.eye(2))
    for more in ({}, {"heatmaps__findings": FINDINGS}):
        with pytest.raises(ConfigError, match=r"heatmaps\.findings: |no annotations recog") as refused:
            scored(bare, **more)
        assert "ZQNAME" not in str(refused.value)


def test_folders_are_methods_that_are_compared(bare: Path) -> None:
    for method, corner in (("good", 0), ("poor", 3)):
        for number in (1, 3, 5):
            (bare / "maps" / method).mkdir(exist_ok=True)
            relevance = np.zeros(4)
            relevance[corner] = 1
            np.save(bare / "maps" / method / f"image{number}__nodule.npy", relevance.reshape(2, 2))
    run = scored(bare, contours__gate="all")
    pairs = {(row["first"], row["second"]) for row in rows(run, "comparisons.csv") if row["metric"] == "iou"}
    assert ("good", "poor") in pairs
    assert [m["name"] for m in json.loads((run.index.parent / "manifest.json").read_text())["methods"]][
        :2
    ] == [
        "good",
        "poor",
    ]


def test_contours_are_scored_as_they_are_and_no_map_is_made_up(bare: Path) -> None:
    """The readers' own masks as SEG: IoU 1, and no hit, for contours have no highest pixel."""
    for number in (1, 3, 5):
        mask = square((GRID, GRID), 5 + 3 * number, 8, 20)
        write_segmentation(
            bare / "maps" / f"{number}.dcm",
            mask[None, ..., None],
            [source_image(uid(number), (GRID, GRID))],
            ["nodule"],
        )
    run = scored(bare, contours__gate="all", baselines__random=False, baselines__center_prior=False)
    found = {
        (row["metric"], row["value"]) for row in rows(run, "scores.csv") if row["case_id"] and row["value"]
    }
    assert ("iou", "1.0") in found
    assert {metric for metric, _ in found} & {"hit", "near_hit", "energy_inside"} == set()
    regions = json.loads((run.index.parent / "regions.json").read_text())
    assert {(region["area_px"], region["unit"]) for region in regions} == {(400, "contour")}
    outcomes = {row.outcome for row in survey(read_run(run.index.parent)).rows}
    assert outcomes == {"outlined"}


def test_maps_among_the_annotations_are_refused_where_these_are_guessed(bare: Path) -> None:
    save_all(bare / "maps")
    values = settings(bare, heatmaps__path=str(bare / "maps"), annotations__path=str(bare))
    with pytest.raises(ConfigError, match=r"^heatmaps\.path: .* lies in the annotations folder"):
        make_score_plan(load_config(None, values), executor=Here())
    sources = {"annotations.sources": [{"format": "png", "pattern": "said/masks/{finding}/{image}.png"}]}
    assert make_score_plan(load_config(None, values | sources)).methods == ("heatmap",)

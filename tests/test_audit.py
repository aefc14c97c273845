"""Whole runs on a handful of images."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from pipeline.audit import audit
from pipeline.checks import CHECKS
from pipeline.config import load_config
from pipeline.contracts import Executor
from pipeline.errors import CheckError, ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.run.outcome import Outcome
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.outputs import changed_results
from pipeline.store.lock import locked
from tests import warm
from tests.page_text import page_text
from tests.patience import ATTEMPTS, SECONDS
from tests.study import (
    GRID,
    ROOT_UID,
    picture,
    square,
    uid,
    write_image,
    write_mask,
    write_model,
    write_study,
)
from tests.volatile import contents

EVERYTHING = {
    "index.html", "manifest.json", "cases.csv", "predictions.csv", "regions.json", "scores.csv",
    "summary.csv", "skipped.csv", "crosswalk.csv", "baselines.npz", "cases", "outputs.sha256",
    "provenance.json",
}  # fmt: skip


HERE = Here()


def run(
    folder: Path, model: Path, *, out: str = "out", executor: Executor | None = HERE, **settings: Any
) -> Outcome:
    """An audit of the study in `folder` with every gate open; `__` in a setting's name is a dot.

    In this process, which saves a second; without `executor` in a worker process.
    """
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(model),
        "out": str(folder / out),
        "workers": 1,
        "batch_size": 4,
        "contours.gate": "all",
        "statistics.replicates": 200,
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    return audit(make_plan(load_config(None, overrides)), executor=executor)


def table(outcome: Outcome, name: str) -> list[dict[str, str]]:
    with (outcome.index.parent / name).open(newline="") as file:
        return list(csv.DictReader(file))


def scores(outcome: Outcome, metric: str) -> dict[tuple[str, str, str], float | None]:
    return {
        (row["case_id"], row["finding"], row["method"]): float(row["value"]) if row["value"] else None
        for row in table(outcome, "scores.csv")
        if row["metric"] == metric
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("study")
    return run(write_study(folder), write_model(folder / "model"))


def test_a_run_leaves_every_file_that_the_readme_names(finished: Outcome) -> None:
    there = {path.name for path in finished.index.parent.iterdir()}
    assert there >= EVERYTHING
    described = (Path(__file__).parents[1] / "reports" / "README.md").read_text()
    assert all(name in described for name in EVERYTHING)


def test_every_file_has_its_hash_but_the_crosswalk(finished: Outcome) -> None:
    folder = finished.index.parent
    lines = (folder / "outputs.sha256").read_text().splitlines()
    listed = [line[66:] for line in lines]
    hashes = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed]
    assert lines == [f"{sha256}  {name}" for sha256, name in zip(hashes, listed, strict=True)]
    assert sorted(listed) == sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"crosswalk.csv", "outputs.sha256", ".lock"}
    )
    assert changed_results(folder, read_manifest(folder)) == {}


def test_every_image_has_a_score_a_finding_and_method(finished: Outcome) -> None:
    assert len(scores(finished, "iou")) == 6 * 2 * 3  # images × findings × (gradcam, centre prior, random)
    nodules = {
        key: value for key, value in scores(finished, "iou").items() if key[1:] == ("nodule", "gradcam")
    }
    assert sum(value is not None for value in nodules.values()) == 3


def test_a_summary_is_the_mean_of_its_scores(finished: Outcome) -> None:
    values = [
        v for k, v in scores(finished, "iou").items() if k[1:] == ("nodule", "gradcam") and v is not None
    ]
    (row,) = (
        row
        for row in table(finished, "summary.csv")
        if (row["finding"], row["method"], row["metric"]) == ("nodule", "gradcam", "iou")
    )
    assert float(row["estimate"]) == pytest.approx(np.mean(values))
    assert (row["n"], row["undefined"], row["patients"]) == ("3", "3", "3")
    assert float(row["low"]) <= float(row["estimate"]) <= float(row["high"])


def test_the_iou_on_file_is_that_of_the_contours_on_file(finished: Outcome) -> None:
    """Recount an IoU from regions.json and the mask alone, testing every pixel's centre."""
    regions = json.loads((finished.index.parent / "regions.json").read_text())
    crosswalk = {row["pseudonym"]: row["file"] for row in table(finished, "crosswalk.csv")}
    iou = scores(finished, "iou")
    checked = 0
    for case_id, finding in {(r["case_id"], r["finding"]) for r in regions}:
        mask_file = finished.index.parents[2] / "masks" / finding / crosswalk[case_id].replace(".dcm", ".png")
        if not mask_file.exists():
            continue
        mask = np.asarray(Image.open(mask_file)) > 0
        drawn = np.zeros_like(mask)
        for region in regions:
            if (region["case_id"], region["finding"]) == (case_id, finding):
                drawn |= filled(region["outlines"], mask.shape)
        recounted = (drawn & mask).sum() / (drawn | mask).sum()
        assert iou[case_id, finding, "gradcam"] == pytest.approx(recounted, abs=0.01)
        checked += 1
    assert checked >= 4


def filled(outlines: list[list[list[float]]], shape: tuple[int, ...]) -> np.ndarray:
    """Pixels whose centres lie inside an odd number of polygons."""
    rows, columns = np.indices(shape)
    inside = np.zeros(shape, bool)
    for outline in outlines:
        for (x1, y1), (x2, y2) in zip(outline, outline[1:] + outline[:1], strict=True):
            if y1 != y2:
                crosses = (y1 <= rows) != (y2 <= rows)
                inside ^= crosses & (columns < x1 + (rows - y1) * (x2 - x1) / (y2 - y1))
    return inside


def test_nothing_but_the_crosswalk_holds_an_identifier(finished: Outcome) -> None:
    folder = finished.index.parent
    secrets = [ROOT_UID.encode(), b"HOSPITAL", b"Doe^", b"Jane", b"image1", str(folder.parents[1]).encode()]
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "crosswalk.csv":
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path.name
    crosswalk = folder / "crosswalk.csv"
    assert uid(1) in crosswalk.read_text()
    assert stat.S_IMODE(crosswalk.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder.parent / "pseudonym.key").stat().st_mode) == 0o600


def test_a_second_run_finds_everything_done_and_ends_with_the_same_bytes(finished: Outcome) -> None:
    folder = finished.index.parents[2]
    before = contents(finished.index.parent)
    again = run(folder, folder / "model" / "tiny.yaml")
    assert again.index == finished.index
    assert contents(again.index.parent) == before


def test_another_config_is_another_run(finished: Outcome) -> None:
    folder = finished.index.parents[2]
    other = run(folder, folder / "model" / "tiny.yaml", contours__threshold=0.5)
    assert other.index != finished.index


def test_the_audit_of_mirrored_images_is_the_mirrored_audit(tmp_path: Path, finished: Outcome) -> None:
    write_study(tmp_path, mirrored=True)
    model = write_model(tmp_path / "model")
    (tmp_path / "out").mkdir()
    shutil.copy(finished.index.parents[1] / "pseudonym.key", tmp_path / "out")
    mirrored = run(tmp_path, model)
    for metric in ("iou", "dice", "lesion_iou", "hit", "contour_on_healthy"):
        ours, theirs = not_random(scores(mirrored, metric)), not_random(scores(finished, metric))
        assert ours == pytest.approx(theirs, abs=2e-3, nan_ok=False)
    for ours, theirs in zip(peaks(mirrored), peaks(finished), strict=True):
        assert ours["x"] == pytest.approx(
            GRID - 1 - theirs["x"], abs=1
        )  # the middle of an even number of pixels
        assert (ours["y"], ours["relevance"]) == pytest.approx((theirs["y"], theirs["relevance"]), abs=1e-4)


def not_random(found: dict[tuple[str, str, str], float | None]) -> dict[tuple[str, str, str], float | None]:
    """Scores of maps that follow the image."""
    return {key: value for key, value in found.items() if key[2] != "random"}


def peaks(outcome: Outcome) -> list[dict[str, Any]]:
    found = []
    for path in sorted((outcome.index.parent / "cases").glob("*/case.json")):
        found += [
            {key: peak[key] for key in ("x", "y", "relevance")}
            for peak in json.loads(path.read_text())["peaks"]
        ]
    return found


def test_the_audit_through_a_centre_crop_is_the_shifted_audit_of_the_cropped_images(
    tmp_path: Path, finished: Outcome
) -> None:
    write_study(tmp_path, margin=10)
    model = write_model(tmp_path / "model", resize={"rule": "none"}, crop={"centre": [GRID, GRID]})
    (tmp_path / "out").mkdir()
    shutil.copy(finished.index.parents[1] / "pseudonym.key", tmp_path / "out")
    cropped = run(tmp_path, model, baselines={"center_prior": False, "random": False})
    ours = {key: value for key, value in scores(finished, "iou").items() if key[2] == "gradcam"}
    assert scores(cropped, "iou") == pytest.approx(ours, abs=1e-4)
    for shifted, plain in zip(peaks(cropped), peaks(finished), strict=True):
        assert shifted == pytest.approx({**plain, "x": plain["x"] + 10, "y": plain["y"] + 10}, abs=1e-4)


def test_bad_input_is_listed_with_its_reason_and_the_run_goes_on(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    images = folder / "images"
    (images / "notes.txt").write_text("no DICOM")
    (images / "image2.dcm").write_bytes((images / "image2.dcm").read_bytes()[:-2000])
    write_mask(folder, "nodule", 1, np.ones((9, 9), bool))
    write_mask(folder, "nodule", 77, square((GRID, GRID), 4, 4, 20))
    write_mask(folder, "fracture", 4, square((GRID, GRID), 4, 4, 20))
    outcome = run(
        folder,
        write_model(folder / "model"),
        annotations__sources=[{"format": "png", "pattern": "masks/{finding}/{image}.png"}],
        annotations__labels={"file": "labels.csv"},
    )
    reasons = {(row["stage"], row["reason"]) for row in table(outcome, "skipped.csv")}
    assert reasons >= {
        ("index", "not_dicom"),
        ("annotations", "mask_size"),
        ("annotations", "annotation_without_image"),
        ("annotations", "unknown_finding"),
    }
    assert [row["stage"] for row in table(outcome, "skipped.csv")].count("load") == 1
    assert len(table(outcome, "cases.csv")) == 5
    assert outcome.missed_share == pytest.approx(1 / 6)
    assert not outcome.passed  # more than the 10 % that the policy allows
    page = page_text(outcome.index)
    assert all(row["message"].replace("'", "&#39;") in page for row in table(outcome, "skipped.csv"))


def test_a_case_without_annotation_and_label_is_undefined_not_a_miss(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    (folder / "labels.csv").unlink()
    (folder / "masks" / "nodule" / "image1.png").unlink()
    outcome = run(folder, write_model(folder / "model"))
    row = next(row for row in table(outcome, "crosswalk.csv") if row["file"] == "image1.dcm")
    assert scores(outcome, "iou")[row["pseudonym"], "nodule", "gradcam"] is None
    reasons = {
        score["undefined_because"]
        for score in table(outcome, "scores.csv")
        if (score["case_id"], score["finding"]) == (row["pseudonym"], "nodule")
    }
    assert reasons == {"not_annotated"}


@pytest.mark.parametrize(("gate", "drawn"), [("all", 12), ("annotated", 5), ("predicted", 0)])
def test_the_gate_decides_for_which_findings_contours_are_drawn(
    tmp_path: Path, gate: str, drawn: int
) -> None:
    folder = write_study(tmp_path)
    model = write_model(folder / "model")
    model.write_text(model.read_text() + "operating_thresholds: 1.0\n")  # nothing is predicted positive
    outcome = run(folder, model, contours__gate=gate)
    regions = json.loads((outcome.index.parent / "regions.json").read_text())
    assert len({(region["case_id"], region["finding"]) for region in regions}) == drawn


def test_the_location_prior_is_made_of_the_images_that_are_not_audited(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    rows = [f"{uid(n)},{'train' if n > 3 else 'dev'}" for n in range(1, 7)]
    (folder / "splits.csv").write_text("\n".join(["sop_instance_uid,split", *rows]))
    outcome = run(
        folder,
        write_model(folder / "model"),
        select={"file": "splits.csv", "where": {"split": "dev"}},
        baselines__location_prior={"where": {"split": "train"}},
    )
    assert len(table(outcome, "cases.csv")) == 3
    prior = np.load(outcome.index.parent / "baselines.npz")["location_prior/nodule"]
    # Of images 4, 5 and 6 only 5 shows a nodule: rows 20…39 and columns 8…27 of 61.
    inside = np.argwhere(prior > 0.5).mean(axis=0) / 224 * GRID - 0.5
    assert inside == pytest.approx([29.5, 17.5], abs=0.2)


def test_a_selection_that_chooses_nothing_is_refused(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    with pytest.raises(ConfigError, match="no image of the study folder has a row with nodule = 7"):
        run(folder, write_model(folder / "model"), select={"file": "labels.csv", "where": {"nodule": "7"}})


def test_a_failed_self_check_ends_the_run_without_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_study(tmp_path)

    def fails(_model: object) -> str:
        raise CheckError("planted")

    monkeypatch.setitem(CHECKS._loaded, "batch", fails)
    with pytest.raises(CheckError, match="self-check 'batch' failed: planted"):
        run(folder, write_model(folder / "model"))
    assert not (folder / "out").exists()


def test_a_folder_without_images_is_refused_before_the_network_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_model(write_study(tmp_path) / "model")
    shutil.rmtree(tmp_path / "images")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "list.csv").write_text("image\n")
    monkeypatch.setattr("pipeline.audit.load_model", lambda _: pytest.fail("the network was loaded"))
    with pytest.raises(ConfigError, match="holds no image"):
        run(tmp_path, model)


ANYTHING = "{weights: strong, card: strong, masks: strong}"
"""Suspicion that no policy forbids."""


def command(folder: Path, *extra: str) -> list[str]:
    """An audit of a network of random weights, which is suspected, and which no policy forbids here."""
    return [
        sys.executable, "-m", "pipeline.cli", "audit", "--studies", str(folder / "images"),
        "--annotations", str(folder), "--model", str(folder / "model" / "tiny.yaml"),
        "--out", str(folder / "out"), "--set", "workers=1", "--set", "batch_size=2",
        "--set", "statistics.replicates=100", *("--set", f"policy.max_suspicion={ANYTHING}"), *extra,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, bytes]]:
    """A study, the last line that its run printed, and the run's bytes; started cold."""
    folder = write_study(tmp_path_factory.mktemp("undisturbed"), count=12)
    write_model(folder / "model")
    ended = subprocess.run(command(folder), capture_output=True, text=True, check=True)
    (whole,) = (path for path in (folder / "out").iterdir() if path.is_dir())
    expected = contents(whole)
    shutil.rmtree(whole)
    return folder, ended.stdout.splitlines()[-1], expected


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(
    undisturbed: tuple[Path, str, dict[str, bytes]], by: signal.Signals
) -> None:
    folder, last_line, expected = undisturbed
    whole = Path(last_line.removeprefix("Report: ")).parent
    assert whole.parent == folder / "out"
    for _ in range(ATTEMPTS):
        shutil.rmtree(whole, ignore_errors=True)
        stopped = warm.started(command(folder))
        deadline = time.monotonic() + SECONDS
        while len(list(whole.glob("cases/*/case.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.002)
        stopped.send_signal(by)
        stopped.wait()
        if not (whole / "scores.csv").exists():  # else the run was nearly done before the signal came
            break
    assert stopped.returncode == (-signal.SIGKILL if by == signal.SIGKILL else 130)
    assert not (whole / "scores.csv").exists()
    done = len(list(whole.glob("cases/*/case.json")))
    assert 3 <= done < 12

    resumed = warm.run(command(folder))
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.splitlines()[-1] == last_line
    assert contents(whole) == expected


def test_two_runs_on_one_folder_are_refused(finished: Outcome) -> None:
    folder = finished.index.parents[2]
    with locked(finished.index.parent), pytest.raises(ConfigError, match="another audit is writing there"):
        run(folder, folder / "model" / "tiny.yaml")


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda f: shutil.rmtree(f / "images"), "does not exist"),
        (lambda f: [p.unlink() for p in (f / "images").iterdir()], "holds no image"),
        (lambda f: (f / "model" / "tiny.safetensors").unlink(), "tiny.safetensors"),
        (lambda f: append(f / "model" / "tiny.safetensors", "x"), "sha256"),
        (lambda f: append(f / "model" / "tiny.yaml", "colour: red\n"), "colour: unknown key"),
    ],
    ids=["no-studies", "empty-studies", "no-weights", "altered-weights", "unknown-key-in-card"],
)
def test_what_cannot_start_ends_with_code_2_and_writes_nothing(
    tmp_path: Path, break_it: Any, complaint: str
) -> None:
    folder = write_study(tmp_path, count=2)
    write_model(folder / "model")
    break_it(folder)
    ended = warm.run(command(folder))
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (folder / "out").exists()


def test_every_frame_of_an_image_is_a_case(tmp_path: Path) -> None:
    path = write_image(tmp_path / "images", 1, np.concatenate([picture(1), picture(2), picture(3)]))
    data = dcmread(path)
    data.Rows, data.NumberOfFrames = GRID, 3
    data.save_as(path)
    write_mask(tmp_path, "nodule", 1, square((GRID, GRID), 4, 4, 20))
    # The mask does not say of which frame it is, which would stop the run: it is the only annotation.
    outcome = run(tmp_path, write_model(tmp_path / "model"), validation__stop="never")
    assert sorted(int(row["frame"]) for row in table(outcome, "cases.csv")) == [0, 1, 2]
    assert len({peak["x"] for peak in peaks(outcome)}) > 1

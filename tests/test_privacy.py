"""Nothing that could name anybody, and no path, leaves the study folder, but names in the crosswalk."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import sys
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydicom import dcmread

from tests import warm
from tests.annotations.segmentations import source_image, write_segmentation
from tests.markers import Markers, leaks, marked
from tests.review.test_results import by_turns, decided, every_other
from tests.study import GRID, picture, square, write_image, write_mask, write_model

IMAGES = 3
CROSSWALK = "crosswalk.csv"
PROJECT = Path(__file__).parents[1]
SCORING = (
    "--set", "contours.gate=all", "--set", "policy.max_skipped=1", "--set", "statistics.replicates=20",
)  # fmt: skip
SERIAL = ("--set", "workers=1")
NOTICES = ("Guess: ", "Warning: ", "  state it with: ")
"""Starts of the lines that show names of annotation files and words to the user, who has to correct them."""
TYPED = 2
"""The number of markers, the first ones, that are in paths that the user typed: the terminal shows them."""


@dataclass(frozen=True, slots=True)
class Study:
    """A study whose files and names are full of markers, and its audit."""

    folder: Path
    """With the annotations; a marker is its name."""
    studies: Path
    model: Path
    run: Path
    printed: str
    table: Path
    """Image, split, site and label of every image, in a folder whose name is a marker."""
    markers: Markers

    @property
    def inputs(self) -> tuple[object, ...]:
        """Arguments that name studies and annotations."""
        return "--studies", self.studies, "--annotations", self.folder

    @property
    def tables(self) -> tuple[str, ...]:
        """Arguments that take labels and groups of images from the table."""
        of_labels, of_groups = (
            f"{{file: {self.table}, image: image, columns: {columns}}}"
            for columns in ("{nodule: [label]}", "[site]")
        )
        return "--set", f"annotations.labels={of_labels}", "--set", f"subgroups.table={of_groups}"

    @property
    def images(self) -> list[Path]:
        """The files that are whole."""
        return sorted(self.studies.glob("*/*.dcm"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    markers = Markers()
    folder = tmp_path_factory.mktemp(markers.new("LO"))
    studies = folder / f"images-{markers.new('LO')}"
    for number in range(1, IMAGES + 1):
        path = write_image(studies / markers.new("SH"), number, picture(number))
        marked(path, markers)
        name = markers.new("SH")
        path.rename(path.with_name(f"{name}.dcm"))
        write_mask(folder, "nodule", number, square((GRID, GRID), 4, 4, 20))
        (folder / "masks" / "nodule" / f"image{number}.png").rename(
            folder / "masks" / "nodule" / f"{name}.png"
        )
    broken = studies / f"{markers.new('SH')}.dcm"
    broken.write_bytes(next(studies.rglob("*.dcm")).read_bytes()[:-3000])
    (studies / f"{markers.new('SH')}.txt").write_text(markers.new("LO"))
    (studies / f"{markers.new('SH')}.dcm").symlink_to(folder / markers.new("LO"))
    os.mkfifo(studies / f"{markers.new('SH')}.dcm")
    write_mask(folder, "nodule", 9, square((GRID, GRID), 4, 4, 20))
    (folder / "masks" / "nodule" / "image9.png").rename(
        folder / "masks" / "nodule" / f"{markers.new('SH')}.png"
    )
    (folder / "masks" / "nodule" / f"{markers.new('SH')}.png").write_text(markers.new("LO"))
    (folder / "masks" / "nodule" / f"{markers.new('SH')}.png").symlink_to(folder / markers.new("LO"))
    write_mask(folder, markers.new("LO"), 1, square((GRID, GRID), 4, 4, 20))
    known = str(dcmread(path.with_name(f"{name}.dcm")).SOPInstanceUID)
    source = source_image(
        known, (GRID, GRID), PatientName=f"{markers.new('SH')}^", PatientID=markers.new("LO")
    )
    write_segmentation(
        folder / markers.new("SH"), np.ones((1, GRID, GRID, 1), np.uint8), [source], [markers.new("LO")]
    )
    table = tmp_path_factory.mktemp("tables") / markers.new("LO") / "images.csv"
    model = write_model(folder / "model")
    study = Study(folder, studies, model, folder / "out", "", table, markers)
    write_table(study)
    ended = command(
        "audit", *study.inputs, "--model", model, "--out", study.run, *study.tables, *SCORING, *SERIAL
    )
    assert ended.returncode == 0, ended.stderr
    return replace(study, run=made_in(study.run), printed=ended.stdout + ended.stderr)


def write_table(study: Study) -> None:
    study.table.parent.mkdir()
    splits = ("dev", *["train"] * (IMAGES - 1))
    rows = [f"{path.stem},{split},here,1" for path, split in zip(study.images, splits, strict=True)]
    study.table.write_text("\n".join(["image,split,site,label", *rows, ""]))


def command(name: str, *arguments: object) -> warm.Run:
    """The command in a process of its own, where libraries may print what they please."""
    return warm.run([sys.executable, "-m", "pipeline.cli", name, *map(str, arguments)])


def made_in(out: Path) -> Path:
    (made,) = (path for path in out.iterdir() if path.is_dir())
    return made


def check(study: Study, made: Path, *printed: str, place: Path | None = None) -> None:
    """No file below `made` holds a marker or, the crosswalk included, a path; neither does what was printed.

    `place` is a folder outside the study of which no path may be there either.
    """
    assert leaks(made, study.markers.all, but=[CROSSWALK]) == {}
    # Without the first slash, so that paths relative to somewhere else are found as well.
    places = [str(path).removeprefix("/") for path in (study.folder, place or made, PROJECT)]
    assert leaks(made, places) == {}
    assert without_typed("\n".join(printed), study.markers) == []


def without_typed(printed: str, markers: Markers) -> list[str]:
    """The markers in what was printed, but of the folders that the user named, and in notices."""
    text = "\n".join(line for line in printed.splitlines() if not line.startswith(NOTICES))
    for word in markers.all[:TYPED]:
        text = text.replace(word, "")
    return [word for word in markers.all[TYPED:] if word in text]


def test_no_marker_is_in_any_byte_of_the_run_nor_in_what_was_printed(study: Study) -> None:
    assert len(study.markers.all) > 1000
    assert len(list(study.run.glob("cases/*/case.json"))) == IMAGES
    check(study, study.run.parent, study.printed)


def test_a_marker_would_be_found_wherever_it_were(study: Study, tmp_path: Path) -> None:
    words = study.markers.all
    word = words[5]
    (tmp_path / "a.js").write_text(
        f'x({{"data":"{base64.b64encode(zlib.compress(word.encode() * 9)).decode()}"}})'
    )
    np.savez(tmp_path / "b.npz", **{word: np.zeros(2)})
    (tmp_path / "c.json").write_text(json.dumps(words[3]))
    (tmp_path / "d.txt").write_bytes(word.encode("utf-16"))
    (tmp_path / "e.yaml").write_text(f"file: ../../..{study.folder}/a.csv")
    assert set(leaks(tmp_path, words)) == {"a.js", "b.npz", "c.json", "d.txt", "e.yaml"}


def test_notices_name_files_and_words_of_annotations_and_nothing_of_an_image(study: Study) -> None:
    lines = "\n".join(line for line in study.printed.splitlines() if line.startswith(NOTICES))
    shown = {word for word in study.markers.all if word in lines}
    names = {part for path in study.folder.glob("*/*/*") for part in path.relative_to(study.folder).parts}
    assert shown & names
    assert len(shown - names) == 1  # the label of the segment, which is no finding


def test_the_crosswalk_leads_back_to_every_file_and_word_and_is_its_owners_alone(study: Study) -> None:
    crosswalk = study.run / CROSSWALK
    text = crosswalk.read_text()
    assert stat.S_IMODE(crosswalk.stat().st_mode) == 0o600
    assert {line.split(",")[1] for line in text.splitlines()[1:]} == {
        "image", "file", "device", "finding", "annotation", "name",
    }  # fmt: skip
    assert sum(word in text for word in study.markers.all) > IMAGES


def test_a_validation_of_the_same_study_holds_no_marker(study: Study, tmp_path: Path) -> None:
    ended = command(
        "validate", *study.inputs, "--model", study.model, "--out", tmp_path, *study.tables, *SERIAL
    )
    assert ended.returncode == 1, ended.stderr
    assert "unknown_finding" in (made_in(tmp_path) / "problems.csv").read_text()
    check(study, tmp_path, ended.stdout, ended.stderr)


def test_a_validation_without_a_model_holds_no_marker(study: Study, tmp_path: Path) -> None:
    ended = command("validate", *study.inputs, "--out", tmp_path, *SERIAL)
    assert ended.returncode in {0, 1}, ended.stderr
    crosswalk = (made_in(tmp_path) / CROSSWALK).read_text()
    assert "finding" in {line.split(",")[1] for line in crosswalk.splitlines()}
    check(study, tmp_path, ended.stdout, ended.stderr)


def write_tables(study: Study, folder: Path) -> None:
    """Boxes, run-length masks and labels whose names of files, columns, words and images are markers."""
    new, (first, *_) = study.markers.new, study.images
    boxes = [f"image,finding,x,y,width,height,{new('LO')}", f"{first.stem},nodule,4,4,20,20,{new('LO')}"]
    boxes += [f"{first.stem},{new('LO')},4,4,20,20,", f"{new('SH')},nodule,4,4,{new('LO')},20,"]
    masks = {first.stem: {"nodule": new("LO")}, new("SH"): {new("LO"): {"size": [GRID, GRID], "counts": "a"}}}
    labels = [f"image,nodule,{new('LO')}", f"{first.stem},1,{new('LO')}", f"{new('SH')},0,"]
    (folder / f"{new('SH')}.csv").write_text("\n".join([*boxes, ""]))
    (folder / f"{new('SH')}labels.csv").write_text("\n".join([*labels, ""]))
    (folder / f"{new('SH')}.json").write_text(json.dumps(masks))


def test_a_validation_of_tables_holds_no_marker(study: Study, tmp_path: Path) -> None:
    tables, out = tmp_path / study.markers.new("LO"), tmp_path / "out"
    tables.mkdir()
    write_tables(study, tables)
    given = ("--studies", study.studies, "--annotations", tables, "--model", study.model, "--out", out)
    ended = command("validate", *given, *SERIAL)
    assert ended.returncode == 1, ended.stderr
    assert "csv as boxes" in ended.stdout
    assert "The labels are those of" in ended.stdout
    assert {"no_image", "unknown_finding", "unread_file"} <= {
        line.split(",")[3] for line in (made_in(out) / "problems.csv").read_text().splitlines()
    }
    check(study, out, ended.stdout, ended.stderr, place=tmp_path)


@pytest.fixture(scope="module")
def scored(study: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, warm.Run]:
    """The folder of a scoring of maps, whose names hold markers, and the process."""
    folder = tmp_path_factory.mktemp("scored")
    markers = study.markers
    maps = folder / f"maps-{markers.new('LO')}"
    maps.mkdir()
    for stem in (path.stem for path in study.images):
        np.save(maps / f"{stem}__nodule.npy", np.eye(4, dtype=np.float32))
        np.save(maps / f"{stem}__{markers.new('LO')}.npy", np.eye(4, dtype=np.float32))
    np.save(maps / f"{markers.new('SH')}__nodule.npy", np.eye(4, dtype=np.float32))
    (maps / f"{markers.new('SH')}__nodule.dcm").write_bytes(study.images[0].read_bytes())
    return folder, score(study, folder, folder / "out")


def score(study: Study, folder: Path, out: Path, *options: str) -> warm.Run:
    """A scoring of the maps in `folder`."""
    (maps,) = folder.glob("maps-*")
    return command("score", "--heatmaps", maps, *study.inputs, "--out", out, *options, *SCORING, *SERIAL)


def check_scored(study: Study, folder: Path, out: Path, ended: warm.Run) -> None:
    """Assert that the images were scored, files that cannot be were named, and nobody else was."""
    assert ended.returncode == 0, ended.stderr
    made = made_in(out)
    assert len(list(made.glob("cases/*/case.json"))) == IMAGES
    assert {"unknown_finding", "heatmap_without_image", "heatmap_unreadable"} <= {
        line.split(",")[2] for line in (made / "skipped.csv").read_text().splitlines()
    }
    check(study, out, ended.stdout, ended.stderr, place=folder)


def test_a_scoring_of_maps_holds_no_marker(study: Study, scored: tuple[Path, warm.Run]) -> None:
    folder, ended = scored
    check_scored(study, folder, folder / "out", ended)


def test_a_scoring_of_maps_of_named_findings_holds_no_marker(
    study: Study, scored: tuple[Path, warm.Run], tmp_path: Path
) -> None:
    folder, _ = scored
    ended = score(study, folder, tmp_path, "--set", "heatmaps.findings=[nodule]")
    check_scored(study, folder, tmp_path, ended)


def test_a_tuning_holds_no_marker(study: Study, tmp_path: Path) -> None:
    splits = ("--set", f"select={{file: {study.table}, image: image, where: {{split: dev}}}}")
    tuning = ("--set", "tuning={where: {split: train}, minimum_patients: 2}", "--set", f"out={tmp_path}")
    given = (*study.inputs, "--model", study.model, *study.tables, *splits, *tuning)
    ended = command("tune", *given, "--out", tmp_path / "tuned.yaml", *SCORING, *SERIAL)
    assert ended.returncode == 0, ended.stderr
    assert "nodule: " in ended.stdout
    assert set(yaml.safe_load((tmp_path / "tuned.yaml").read_text())["contours"]["findings"]) == {"nodule"}
    check(study, tmp_path, ended.stdout, ended.stderr)


def test_a_comparison_of_two_runs_holds_no_marker(
    study: Study, scored: tuple[Path, warm.Run], tmp_path: Path
) -> None:
    ended = command("compare", study.run, made_in(scored[0] / "out"), "--out", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"{IMAGES} images in both runs" in ended.stdout
    check(study, tmp_path, ended.stdout, ended.stderr, place=scored[0])


def test_a_review_and_the_report_written_again_hold_no_marker(study: Study, tmp_path: Path) -> None:
    run = tmp_path / study.run.name
    shutil.copytree(study.run, run)
    given = [decided(run, "Ann", by_turns, comment="a remark"), decided(run, "Bob", every_other)]
    ended = command("review", run, *given)
    assert ended.returncode == 0, ended.stderr
    single = ("--single-file", tmp_path / "one.html", "--cases", IMAGES)
    reports = [command("report", run), command("report", run, *single)]
    assert [one.returncode for one in reports] == [0, 0]
    assert {"review.html", "review.csv", "review-summary.csv"} <= {path.name for path in run.iterdir()}
    check(study, tmp_path, *(text for one in (ended, *reports) for text in (one.stdout, one.stderr)))


def test_a_figure_holds_no_marker(study: Study, tmp_path: Path) -> None:
    cases = [path.parent.name for path in study.run.glob("cases/*/case.json")]
    printed = []
    for ending in ("svg", "png"):
        out = tmp_path / f"figure.{ending}"
        ended = command("figure", study.run, *cases, "--out", out, "--dpi", "72", "--findings", "nodule")
        assert ended.returncode == 0, ended.stderr
        printed.append(ended.stdout.replace(str(out), ""))  # which the user typed
    check(study, tmp_path, *printed)


@pytest.mark.parametrize("columns", ["image,nodule", "{},{}"], ids=["cell", "head"])
def test_no_complaint_about_a_table_holds_a_marker(study: Study, tmp_path: Path, columns: str) -> None:
    new = study.markers.new
    table = tmp_path / "labels.csv"
    table.write_text(f"{columns.format(new('LO'), new('LO'))}\n{new('LO')},{new('LO')}\n")
    labels = ("--set", f"annotations.labels.file={table}", "--set", "annotations.labels.image=image")
    ended = command(
        "validate", *study.inputs, "--model", study.model, "--out", tmp_path / "out", *labels, *SERIAL
    )
    assert ended.returncode == 2
    assert "labels.csv" in ended.stderr
    assert without_typed(ended.stdout + ended.stderr, study.markers) == []

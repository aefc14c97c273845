"""A run without annotations, and the annotations that its reviewers make of it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.annotations.outlined import filled
from pipeline.audit import audit
from pipeline.cli.main import main
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.subjects import missed_lesions, results_sha256, subjects
from pipeline.reporting.survey import survey
from pipeline.reporting.typical import typical_rows
from pipeline.review.annotations import write_annotations
from pipeline.review.results import review
from tests.study import write_model, write_study

IMAGES = 4
Answer = Callable[[int], str | None]


def run(folder: Path, **settings: Any) -> Path:
    overrides = {
        "studies": str(folder / "study" / "images"),
        "model": str(folder / "model" / "tiny.yaml"),
        "out": str(folder / "out"),
        "batch_size": 2,
        "contours.gate": "all",
        "statistics.replicates": 50,
        "burned_in_text.look": "contrast",
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    return audit(make_plan(load_config(None, overrides)), executor=Here()).index.parent


def rows(run_folder: Path, name: str) -> list[dict[str, str]]:
    with (run_folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("without")
    write_study(made / "study", count=IMAGES)
    write_model(made / "model")
    return made


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    return run(folder)


def test_maps_contours_and_probabilities_are_there_and_no_score_is_defined(finished: Path) -> None:
    assert len(rows(finished, "cases.csv")) == IMAGES
    assert len(rows(finished, "predictions.csv")) == 2 * IMAGES
    assert all(case["regions"] for case in map(read_run(finished).case, read_run(finished).case_ids))
    assert not [row for row in rows(finished, "scores.csv") if row["value"]]
    assert {row["verdict"] for row in rows(finished, "verdict.csv")} == {"unknown"}


def test_the_report_says_what_it_cannot_say_and_shows_no_table_without_a_number(finished: Path) -> None:
    page = (finished / "index.html").read_text()
    assert "Where does it look?" in page
    assert "No annotations were given, so nothing is scored" in page
    assert "The network predicts it on" in page
    assert "undefined" not in page
    assert 'id="cases"' in page
    assert 'id="extremes"' not in page
    assert 'id="numbers"' not in page


def test_the_first_screen_shows_contours_of_each_finding_from_high_to_low_probability(finished: Path) -> None:
    found = read_run(finished)
    typical = typical_rows(found, survey(found))
    assert {*typical} == {"nodule", "effusion"}
    page = (finished / "index.html").read_text()
    before = page[: page.index('id="cases"')]
    for finding, shown in typical.items():
        assert len(shown) == IMAGES
        probabilities = [row.probability for row in shown]
        assert probabilities == sorted(probabilities, reverse=True)
        for row in shown:
            assert f'aria-label="Case {row.case_id}, {finding}: probability' in before
            assert f'href="cases/{row.case_id}/thumbnail.jpg"' in before
            assert (finished / "cases" / row.case_id / "thumbnail.jpg").is_file()
    assert before.count('class="line network"') == 2 * IMAGES


def test_labels_of_the_study_folder_judge_the_classification_alone(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "study" / "labels.csv", folder / "study" / "images" / "labels.csv")
    labels = {"annotations__labels": {"file": "labels.csv", "image": "sop_instance_uid"}}
    made = run(folder, out=str(tmp_path), **labels)
    measured = {row["metric"] for row in rows(made, "summary.csv") if row["n"] != "0"}
    assert "sensitivity" in measured
    assert "iou" not in measured
    assert 'id="numbers"' in (made / "index.html").read_text()


def test_tuning_without_annotations_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["tune", "--studies", str(folder / "study"), "--out", str(folder / "tuned.yaml")])
    assert code == 2
    assert "annotations.path: is missing" in capsys.readouterr().err


def decided(run_folder: Path, reviewer: str, answer: Answer, file: Path) -> Path:
    found = read_run(run_folder)
    missed = missed_lesions(found)
    asked = [
        (case_id, subject)
        for case_id in found.case_ids
        for subject in subjects(found.case(case_id), found.findings, found.network, missed)
    ]
    given = [(case_id, subject, answer(number)) for number, (case_id, subject) in enumerate(asked)]
    content = {
        "format": "heatproof-decisions-1",
        "run_id": found.manifest["run_id"],
        "results_sha256": results_sha256(run_folder),
        "reviewer": reviewer,
        "exported": "2026-11-30",
        "decisions": [
            {"case_id": case_id, **subject._asdict(), "answer": word, "comment": "", "decided": "2026-11-30"}
            for case_id, subject, word in given
            if word
        ],
    }
    file.write_text(json.dumps(content))
    return file


def masks_of(run: RunFolder, case_id: str) -> np.ndarray:
    """Pixels of all contours of the network on one image."""
    case = run.case(case_id)
    inside = np.zeros((case["rows"], case["columns"]), np.bool_)
    for region in case["regions"]:
        if region["method"] == run.network:
            one = np.zeros_like(inside)
            for outline in region["outlines"]:
                one ^= filled(np.asarray(outline), inside.shape)
            inside |= one
    return inside


def test_contours_that_reviewers_call_right_become_annotations_that_an_audit_reads(
    folder: Path, finished: Path, tmp_path: Path
) -> None:
    anna = decided(finished, "anna", lambda _: "agree", tmp_path / "anna.json")
    ben = decided(
        finished,
        "ben",
        lambda number: ("network_wrong", "agree")[number % 2],
        tmp_path / "ben.json",
    )
    made = tmp_path / "made"
    assert main(["review", str(finished), str(anna), str(ben), "--as-annotations", str(made)]) == 0
    assert sorted(path.name for path in made.iterdir()) == [
        "annotations.yaml",
        "reviewer1.json",
        "reviewer2.json",
    ]
    again = run(folder, annotations__path=str(made), out=str(tmp_path / "out"), annotations__sources=[
        {"format": "rle_json", "file": "reviewer1.json", "reader": "anna"},
        {"format": "rle_json", "file": "reviewer2.json", "reader": "ben"},
    ])  # fmt: skip
    ious = [row for row in rows(again, "scores.csv") if (row["metric"], row["method"]) == ("iou", "gradcam")]
    of_anna = [float(row["value"]) for row in ious if row["reader"] == "anna" and row["value"]]
    assert of_anna
    assert min(of_anna) > 0.9  # the outlines are the network's own, to half a pixel
    assert {row["reader"] for row in ious if row["value"]} == {"anna", "ben", "majority"}


def test_the_masks_are_the_pixels_within_the_outlines(finished: Path, tmp_path: Path) -> None:
    found = read_run(finished)
    result = review(finished, [decided(finished, "anna", lambda _: "agree", tmp_path / "a.json")])
    write_annotations(found, result.reviewed, tmp_path / "made")
    file = tmp_path / "made" / "reviewer1.json"
    names = {row["pseudonym"]: row["sop_instance_uid"] for row in rows(finished, "crosswalk.csv")}
    content = json.loads(file.read_text())
    for case_id in found.case_ids:
        inside = np.zeros((found.case(case_id)["rows"], found.case(case_id)["columns"]), np.bool_)
        for masks in content[names[case_id]].values():
            for mask in masks:
                values = np.arange(len(mask["counts"])) % 2 == 1
                inside |= np.repeat(values, mask["counts"]).reshape(mask["size"][::-1]).T
        np.testing.assert_array_equal(inside, masks_of(found, case_id))


def test_answers_about_annotations_of_others_do_not_become_annotations(folder: Path, tmp_path: Path) -> None:
    scored = run(folder, out=str(tmp_path), annotations__path=str(folder / "study"))
    with pytest.raises(ConfigError, match="was scored against annotations"):
        write_annotations(read_run(scored), [], tmp_path / "made")


def test_images_of_several_frames_cannot_be_named(finished: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished, tmp_path / "copy")
    crosswalk = copy / "crosswalk.csv"
    crosswalk.write_text(crosswalk.read_text().replace(",0,", ",3,", 1))
    with pytest.raises(ConfigError, match="images of several frames"):
        write_annotations(read_run(copy), [], tmp_path / "made")

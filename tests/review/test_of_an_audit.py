"""A review of a real audit: recomputed scores equal those of the audit exactly."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.subjects import missed_lesions, results_sha256, subjects
from pipeline.reporting.survey import survey
from pipeline.review.results import review
from tests.reporting.written import write_single_file
from tests.review.test_results import agree, by_turns, decided
from tests.study import GRID, square, write_model, write_study
from tests.test_audit import run as audited


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two readers, ben with a lesion more, and two methods; a match needs an IoU of a third."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    for number in range(1, 7, 2):
        for reader, left in (("anna", 8), ("ben", 13)):
            place = folder / "readers" / reader / f"image{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            mask = square((GRID, GRID), 5 + 3 * number, left, 20)
            mask |= square((GRID, GRID), 44, 44, 15) & (reader == "ben")
            Image.fromarray(mask.astype(np.uint8) * 255).save(place)
    return audited(
        folder,
        write_model(folder / "model"),
        annotations__sources=[
            {
                "format": "png",
                "pattern": "readers/{reader}/{image}.png",
                "finding": "nodule",
                "instances": "components",
            }
        ],
        methods=["gradcam", "layercam"],
        contours__threshold=0.3,
        lesions__threshold=1 / 3,
        lesions__assignment="optimal",
    ).index.parent


def rows_of(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_pages_ask_about_the_missed_lesions_of_unmatched_csv_and_no_others(run: Path) -> None:
    """Of the first method and of readers; among them are lesions that a contour overlaps, but not enough."""
    folder = read_run(run)
    readers = {"anna", "ben"}
    listed = [row for row in rows_of(run, "unmatched.csv") if row["what"] == "missed_lesion"]
    assert {row["method"] for row in listed} == {"gradcam", "layercam"}
    assert {row["reader"] for row in listed} == {*readers, "majority"}
    table = {
        (row["case_id"], row["finding"], row["reader"], int(row["number"]))
        for row in listed
        if row["method"] == folder.network and row["reader"] in readers
    }
    asked = [entry for row in survey(folder).rows for entry in [(row.case_id, s) for s in row.subjects]]
    lesions = [(case_id, s.finding, s.by, s.number) for case_id, s in asked if s.kind == "lesion"]
    assert sorted(lesions) == sorted(table)
    overlap = {
        (row["case_id"], row["finding"], row["reader"], int(row["lesion"])): float(row["value"])
        for row in rows_of(run, "scores.csv")
        if (row["metric"], row["method"]) == ("lesion_iou", folder.network) and row["reader"] in readers
    }
    assert {one for one, value in overlap.items() if value == 0} < table
    assert all(value >= 1 / 3 for one, value in overlap.items() if one not in table)


def test_the_scripts_of_the_pages_hold_what_is_asked(run: Path) -> None:
    folder = read_run(run)
    text = (run / "cases" / "run.js").read_text(encoding="utf-8")
    script = json.loads(text.removeprefix("heatproof.run(").removesuffix(");\n"))
    for case_id, entries in zip(script["cases"], script["subjects"], strict=True):
        wanted = subjects(folder.case(case_id), folder.findings, folder.network, missed_lesions(folder))
        found = []
        for finding, contours, lesions in entries:
            name = folder.findings[finding]
            found += [("contour", name, folder.network, number + 1) for number in range(contours)]
            found += [("lesion", name, script["readers"][reader], number) for reader, number in lesions]
        assert found == [tuple(entry) for entry in wanted]


def test_with_no_annotation_called_wrong_every_summary_is_the_audits_own(run: Path) -> None:
    result = review(run, [decided(run, "Ann", agree)])
    names = ("n", "patients", "estimate", "low", "high")
    with (run / "review-summary.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"] == "score"]
    assert len(rows) == len(result.pairs) > 50
    for pair in result.pairs:
        corrected, original = (
            [getattr(row, name) for name in names] for row in (pair.corrected, pair.original)
        )
        assert corrected == original, pair.original
    assert all(row["estimate"] == row["original_estimate"] for row in rows)


def test_every_contour_of_the_first_method_is_reviewed(run: Path) -> None:
    folder = read_run(run)
    expected = sum(
        region["method"] == folder.network
        for case_id in folder.case_ids
        for region in folder.case(case_id)["regions"]
    )
    result = review(run, [decided(run, "Ann", by_turns)])
    contours = [entry for entry in result.reviewed if entry.subject.kind == "contour"]
    assert len(contours) == expected > 0


def test_a_review_does_not_change_the_hash_of_the_results(run: Path) -> None:
    before = results_sha256(run)
    review(run, [decided(run, "Ann", agree)])
    assert results_sha256(run) == before


def test_one_file_of_an_audit_names_nothing_of_its_input(run: Path, tmp_path: Path) -> None:
    write_single_file(run, tmp_path / "one.html", cases=99)
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    with (run / "crosswalk.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    hidden = {row[name] for row in rows for name in ("sop_instance_uid", "file", "sha256")} - {""}
    assert len(hidden) > 15
    assert not [word for word in {*hidden, "HOSPITAL-", "Doe^Jane"} if word in text]


def test_the_report_can_be_written_again_elsewhere(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(run, moved)
    (moved / "index.html").unlink()
    write_single_file(moved, tmp_path / "one.html", cases=1)
    assert (moved / "index.html").read_bytes() == (run / "index.html").read_bytes()

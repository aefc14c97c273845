"""A review of a real audit: what the audit counted is counted again to the last bit."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from pipeline.reporting.run_folder import read_run
from pipeline.reporting.single_file import write_single_file
from pipeline.reporting.subjects import results_sha256
from pipeline.review.results import review
from tests.review.test_results import agree, by_turns, decided
from tests.study import write_model, write_study
from tests.test_audit import run as audited


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    return audited(write_study(folder), write_model(folder / "model")).index.parent


def test_with_no_annotation_called_wrong_every_summary_is_the_audits_own(run: Path) -> None:
    result = review(run, [decided(run, "Ann", agree)])
    names = ("n", "patients", "estimate", "low", "high")
    with (run / "review-summary.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measure"] == "score"]
    assert len(rows) == len(result.pairs) > 50
    for pair in result.pairs:
        ours, theirs = ([getattr(row, name) for name in names] for row in (pair.corrected, pair.original))
        assert ours == theirs, pair.original
    assert all(row["estimate"] == row["original_estimate"] for row in rows)


def test_every_contour_of_the_first_method_is_asked_about(run: Path) -> None:
    folder = read_run(run)
    drawn = sum(
        region["method"] == folder.network
        for case_id in folder.case_ids
        for region in folder.case(case_id)["regions"]
    )
    result = review(run, [decided(run, "Ann", by_turns)])
    contours = [entry for entry in result.reviewed if entry.subject.kind == "contour"]
    assert len(contours) == drawn > 0


def test_a_review_changes_nothing_that_decisions_are_about(run: Path) -> None:
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

"""Stored verdicts: what is wrong in verdict.csv, or differs from manifest.json, is named with its place."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.verdict import verdicts
from tests.reporting.run_folder import make_run

UNKNOWN = {"benign": "unknown", "malignant": "unknown"}
WANTED = "wanted 'better', 'no_better', 'worse' or 'unknown'"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path, cases=3)


def change(run: Path, column: str, value: str, *, question: str = "pointing") -> None:
    """Put a value into the first row of verdict.csv with this question."""
    with (run / "verdict.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    next(row for row in rows if row["question"] == question)[column] = value
    write(run, rows)


def write(run: Path, rows: list[dict[str, str]]) -> None:
    with (run / "verdict.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def store(run: Path, verdict: object) -> None:
    """Set the verdict of manifest.json."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"verdict": verdict}), encoding="utf-8")


def complaint(run: Path) -> str:
    with pytest.raises(ConfigError) as error:
        verdicts(read_run(run))
    assert "; rerun to regenerate it, or give the run folder as it was written" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("verdict", "splendid", "one of: better, no_better, worse, unknown"),
        ("verdict", "", "one of: better, no_better, worse, unknown"),
        ("standing", "splendid", "nothing or one of: better, no_better, worse, unknown"),
        ("standing", "", "one of: better, no_better, worse, unknown"),
        ("question", "why", "one of: pointing, contours, absent, other_map"),
        ("estimate", "nan", "a number"),
        ("low", "inf", "a number"),
        ("n", "", "a number"),
        ("readers", "", "a number"),
        ("baseline_n", "", "a number"),
        ("verdict", "worse", "'worse', as in the other rows of 'benign'"),
        ("question", "contours", "one row of 'benign' with it"),
    ],
)
def test_a_wrong_value_is_named_with_row_and_column(run: Path, column: str, value: str, wanted: str) -> None:
    change(run, column, value)
    text = complaint(run)
    if "as in" in wanted:
        assert text.startswith(f"{run / 'verdict.csv'}: row 2: verdict: found 'unknown', wanted {wanted}")
    elif "with it" in wanted:
        assert text.startswith(f"{run / 'verdict.csv'}: row 2: question: found 'contours', wanted {wanted}")
    else:
        assert text.startswith(f"{run / 'verdict.csv'}: row 1: {column}: found '{value}', wanted {wanted}")


@pytest.mark.parametrize(
    ("column", "name"), [("finding", "scurvy"), ("finding", "(all)"), ("baseline", "magic")]
)
def test_a_name_that_the_run_does_not_have_is_refused(run: Path, column: str, name: str) -> None:
    change(run, column, name)
    assert complaint(run).startswith(
        f"{run / 'verdict.csv'}: row 1: {column}: found '{name}', which this run does not have; "
    )


def test_a_question_that_is_only_reported_has_no_standing(run: Path) -> None:
    change(run, "standing", "better", question="absent")
    assert "standing: found 'better', wanted nothing; " in complaint(run)


def test_a_decided_standing_needs_its_difference(run: Path) -> None:
    change(run, "standing", "worse")
    assert "row 1: difference: found '', wanted a number" in complaint(run)


@pytest.mark.parametrize("keep", [0, 1])
def test_an_emptied_file_is_not_taken_for_a_verdict(run: Path, keep: int) -> None:
    lines = (run / "verdict.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "verdict.csv").write_text("".join(lines[:keep]), encoding="utf-8")
    why = "question: found no row with pointing or contours for the finding 'benign'"
    wanted = why if keep else "has no column 'finding'"
    assert complaint(run).startswith(f"{run / 'verdict.csv'}: {wanted}")


def test_a_missing_column_is_named(run: Path) -> None:
    text = (run / "verdict.csv").read_text(encoding="utf-8")
    (run / "verdict.csv").write_text(text.replace(",standing,", ",standings,", 1), encoding="utf-8")
    assert "has no column 'standing'" in complaint(run)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("x", "verdict: wanted an object (found 'x')"),
        (None, "verdict: wanted an object (found None)"),
        (["benign"], "verdict: wanted an object (found ['benign'])"),
        (UNKNOWN | {"benign": "splendid"}, f"verdict.benign: {WANTED} (found 'splendid')"),
        (UNKNOWN | {"benign": 3}, f"verdict.benign: {WANTED} (found 3)"),
        (UNKNOWN | {"benign": ["better"]}, f"verdict.benign: {WANTED} (found ['better'])"),
        (UNKNOWN | {"scurvy": "better"}, "verdict: found 'scurvy', which this run does not have"),
        ({"benign": "unknown"}, "verdict: found no verdict on 'malignant', wanted one"),
    ],
)
def test_a_wrong_verdict_in_the_manifest_is_named(run: Path, verdict: Any, expected: str) -> None:
    store(run, verdict)
    assert complaint(run).startswith(f"{run / 'manifest.json'}: {expected}")


def test_files_that_disagree_are_refused_with_both_values(run: Path) -> None:
    store(run, UNKNOWN | {"malignant": "better"})
    assert complaint(run).startswith(
        f"{run / 'verdict.csv'}: verdict: malignant: found 'unknown', but manifest.json has 'better'"
    )


def test_a_table_that_was_removed_is_missed(run: Path) -> None:
    store(run, UNKNOWN)
    (run / "verdict.csv").unlink()
    assert complaint(run).startswith(
        f"{run / 'verdict.csv'}: is missing, but manifest.json holds the key verdict"
    )


def test_files_that_agree_are_read_and_older_runs_too(run: Path) -> None:
    assert [one.standing for one in verdicts(read_run(run))] == ["unknown", "unknown"]
    store(run, UNKNOWN)
    assert [one.standing for one in verdicts(read_run(run))] == ["unknown", "unknown"]

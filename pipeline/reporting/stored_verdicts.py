"""Stored verdicts: what manifest.json and verdict.csv of a run say of each finding, checked to agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.run_files.columns import STANDINGS
from pipeline.run_files.damage import damaged, shown
from pipeline.run_files.tables import Known

JUDGED = ("pointing", "contours")
"""Questions that have a standing; the others are only reported."""

Row = Mapping[str, str]
"""A row of verdict.csv."""


def names_in_verdict(manifest: Mapping[str, Any]) -> Known:
    """Column of verdict.csv → the names that it may hold."""
    baselines = [entry["name"] for entry in manifest["methods"] if entry["kind"] == "baseline"]
    return {"finding": manifest["findings"], "baseline": ("", *baselines)}


def checked_verdicts(run: Path, manifest: Mapping[str, Any], rows: Sequence[Row] | None) -> dict[str, str]:
    """Finding → verdict as manifest.json has it; empty if it has none, as in runs of older versions.

    `rows` are those of verdict.csv, read with `names_in_verdict`; None if there is no such file. Raises
    ConfigError if a row lacks something, if a finding is missing, or if the two files disagree.
    """
    path = run / "verdict.csv"
    stored = _of_manifest(run / "manifest.json", manifest)
    if rows is None:
        if stored:
            raise damaged(path, "is missing, but manifest.json holds the key verdict")
        return stored
    told = _of_table(path, manifest["findings"], rows)
    for finding, verdict in stored.items():
        if told[finding] != verdict:
            raise damaged(
                path, f"verdict: {finding}: found '{told[finding]}', but manifest.json has '{verdict}'"
            )
    return stored


def _of_manifest(path: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    if "verdict" not in manifest:
        return {}
    stored: dict[str, str] = manifest["verdict"]
    for finding in stored:
        if finding not in manifest["findings"]:
            raise damaged(path, f"verdict: found {shown(finding)}, which this run does not have")
    for finding in manifest["findings"]:
        if finding not in stored:
            raise damaged(path, f"verdict: found no verdict on {shown(finding)}, wanted one")
    return stored


def _of_table(path: Path, findings: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """Finding → verdict."""
    told: dict[str, str] = {}
    judged: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=1):
        _check_row(path, number, row)
        finding, question = row["finding"], row["question"]
        if told.setdefault(finding, row["verdict"]) != row["verdict"]:
            wanted = f"'{told[finding]}', as in the other rows of {shown(finding)}"
            raise _wrong(path, number, row, "verdict", wanted)
        if (finding, question) in judged:
            raise _wrong(path, number, row, "question", f"one row of {shown(finding)} with it")
        if question in JUDGED:
            judged.add((finding, question))
    for finding in findings:
        if not any((finding, question) in judged for question in JUDGED):
            asked = f"no row with {' or '.join(JUDGED)} for the finding {shown(finding)}"
            raise damaged(path, f"question: found {asked}, wanted one")
    return told


def _check_row(path: Path, number: int, row: Row) -> None:
    """Raise ConfigError if a cell is empty where it is needed, or the other way round."""
    is_judged = row["question"] in JUDGED
    if bool(row["standing"]) != is_judged:
        wanted = f"one of: {', '.join(STANDINGS)}" if is_judged else "nothing"
        raise _wrong(path, number, row, "standing", wanted)
    for column in _needed(row):
        if not row[column]:
            raise _wrong(path, number, row, column, "a number")


def _needed(row: Row) -> Iterator[str]:
    """Columns of numbers that the report's sentences are made of."""
    if row["metric"]:
        yield "n"
    if row["metric"] and row["question"] in JUDGED:
        yield from ("readers", "patients")
    if row["baseline"]:
        yield from ("baseline_n", "baseline_estimate")
        if row["standing"] != "unknown":
            yield from ("difference", "corrected_p")


def _wrong(path: Path, number: int, row: Row, column: str, wanted: str) -> ConfigError:
    """The error about a cell."""
    return damaged(path, f"row {number}: {column}: found {shown(row[column])}, wanted {wanted}")

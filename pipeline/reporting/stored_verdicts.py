"""Stored verdicts: what manifest.json and verdict.csv of a run say of each finding, checked to agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args

from pipeline.errors import AuditError
from pipeline.records.names import Question, Standing

STANDINGS: tuple[str, ...] = get_args(Standing)
QUESTIONS: tuple[str, ...] = get_args(Question)
JUDGED = ("pointing", "contours")
"""Questions that have a standing; the others are only reported."""
REMEDY = "rerun to regenerate it"

Row = Mapping[str, str]
"""A row of verdict.csv."""


def checked_verdicts(run: Path, manifest: Mapping[str, Any], rows: Sequence[Row] | None) -> dict[str, str]:
    """Finding → verdict as manifest.json has it; empty if it has none, as in runs of older versions.

    `rows` are those of verdict.csv, None if there is no such file. Raises AuditError if a value is unknown,
    if a finding is missing, or if the two files disagree.
    """
    path = run / "verdict.csv"
    stored = _of_manifest(run / "manifest.json", manifest)
    if rows is None:
        if stored:
            raise AuditError(f"{path}: is missing, but manifest.json holds the key verdict; {REMEDY}")
        return stored
    told = _of_table(path, manifest, rows)
    for finding, verdict in stored.items():
        if told[finding] != verdict:
            raise AuditError(
                f"{path}: verdict: {finding}: found '{told[finding]}', but manifest.json has '{verdict}'; "
                "one of the two files was changed; rerun to regenerate both"
            )
    return stored


def _of_manifest(path: Path, manifest: Mapping[str, Any]) -> dict[str, str]:
    if "verdict" not in manifest:
        return {}
    stored, findings = manifest["verdict"], manifest["findings"]
    if not isinstance(stored, dict):
        raise AuditError(f"{path}: verdict: found {stored!r}, wanted a verdict per finding; {REMEDY}")
    for finding in (*stored, *findings):
        where = f"{path}: verdict"
        if finding not in findings:
            _refuse(where, finding, findings)
        if finding not in stored:
            raise AuditError(f"{where}: found no verdict on '{finding}', wanted one; {REMEDY}")
        if stored[finding] not in STANDINGS:
            _refuse(f"{where}: {finding}", stored[finding], STANDINGS)
    return stored


def _of_table(path: Path, manifest: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, str]:
    """Finding → verdict, from checked rows."""
    baselines = [entry["name"] for entry in manifest["methods"] if entry["kind"] == "baseline"]
    told: dict[str, str] = {}
    judged: set[tuple[str, str]] = set()
    for number, cells in enumerate(rows, start=1):
        row = _CheckedRow(path, number, cells)
        row.check(manifest["findings"], baselines)
        finding, question = cells["finding"], cells["question"]
        if told.setdefault(finding, cells["verdict"]) != cells["verdict"]:
            row.refuse("verdict", f"'{told[finding]}', as in the other rows of '{finding}'")
        if (finding, question) in judged:
            row.refuse("question", f"one row of '{finding}' with it")
        if question in JUDGED:
            judged.add((finding, question))
    for finding in manifest["findings"]:
        if not any((finding, question) in judged for question in JUDGED):
            raise AuditError(
                f"{path}: question: found no row with {' or '.join(JUDGED)} for the finding '{finding}', "
                f"wanted one; {REMEDY}"
            )
    return told


@dataclass(frozen=True, slots=True)
class _CheckedRow:
    path: Path
    number: int
    """From 1, without the line of the column names."""
    cells: Row

    def check(self, findings: Collection[str], baselines: Collection[str]) -> None:
        """Raise AuditError for a value that is unknown, or empty where it is needed."""
        self._one_of("finding", findings)
        self._one_of("verdict", STANDINGS)
        self._one_of("question", QUESTIONS)
        self._one_of("standing", STANDINGS if self.cells["question"] in JUDGED else ("",))
        self._one_of("baseline", ("", *baselines))
        for column in self._needed():
            if not self.cells[column]:
                self.refuse(column, "a number")

    def refuse(self, column: str, wanted: str) -> NoReturn:
        """Raise AuditError for the value in a column."""
        raise AuditError(f"{self._where(column)}: found {self.cells[column]!r}, wanted {wanted}; {REMEDY}")

    def _where(self, column: str) -> str:
        return f"{self.path}: row {self.number}: {column}"

    def _one_of(self, column: str, known: Collection[str]) -> None:
        if self.cells[column] not in known:
            _refuse(self._where(column), self.cells[column], known)

    def _needed(self) -> Iterator[str]:
        """Columns of numbers that the report's sentences are made of."""
        if self.cells["metric"]:
            yield "n"
        if self.cells["metric"] and self.cells["question"] in JUDGED:
            yield from ("readers", "patients")
        if self.cells["baseline"]:
            yield from ("baseline_n", "baseline_estimate")
            if self.cells["standing"] != "unknown":
                yield from ("difference", "corrected_p")


def _refuse(where: str, found: object, known: Collection[str]) -> NoReturn:
    names = ", ".join(filter(None, known))
    wanted = f"{'nothing or ' if '' in known and names else ''}{f'one of: {names}' if names else 'nothing'}"
    raise AuditError(f"{where}: found {found!r}, wanted {wanted}; {REMEDY}")

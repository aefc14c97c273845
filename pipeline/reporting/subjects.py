"""Subjects: the contours and missed lesions of a case that reviewers judge; the pages list the same ones."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from pipeline.guards.reading import open_file
from pipeline.reporting.run_folder import Case, RunFolder, names_of
from pipeline.run_files.damage import as_damage
from pipeline.run_files.parquet import stored_table
from pipeline.run_files.tables import LARGEST_BYTES, read_rows

Kind: TypeAlias = Literal["contour", "lesion"]

UNMATCHED = "unmatched.csv"
"""Table of the lesions that the run's own criterion (config: lesions) calls missed."""
RESULTS = ("regions.json", "scores.csv")
"""Files with the contours and scores that decisions are about."""


class Subject(NamedTuple):
    """One contour or one missed lesion of an image, which reviewers judge."""

    kind: Kind
    finding: str
    by: str
    """The method that drew the contour, or the reader who drew the lesion."""
    number: int
    """Number of the contour of a method, or of the lesion of a reader, from 1."""


Missed: TypeAlias = Mapping[str, Sequence[Subject]]
"""Case id → the lesions that the network's first method missed."""


def missed_lesions(run: RunFolder) -> Missed:
    """The lesions that `unmatched.csv` calls missed by the first method, once per reader and number.

    The table is read, not computed again, so that pages and table cannot differ.
    """
    found: dict[str, dict[Subject, None]] = defaultdict(dict)
    known = {**names_of(run.manifest), "case_id": frozenset(run.case_ids)}
    for row in read_rows(run.path / UNMATCHED, known):
        if (row["what"], row["method"]) == ("missed_lesion", run.network):
            lesion = Subject("lesion", row["finding"], row["reader"], int(row["number"]))
            found[row["case_id"]][lesion] = None
    return {case_id: tuple(lesions) for case_id, lesions in found.items()}


def subjects(case: Case, findings: Sequence[str], method: str | None, missed: Missed) -> list[Subject]:
    """Per finding: the contours of `method`, ordered by their peak, then the lesions that it missed."""
    return [subject for finding in findings for subject in subjects_of(case, finding, method, missed)]


def subjects_of(case: Case, finding: str, method: str | None, missed: Missed) -> list[Subject]:
    """The contours and missed lesions of one finding; lesions of readers only, not of their consensus."""
    count = sum((r["finding"], r["method"]) == (finding, method) for r in case["regions"])
    contours = [Subject("contour", finding, method or "", number) for number in range(1, count + 1)]
    readers = {reference["reader"] for reference in case["references"] if reference["finding"] == finding}
    lesions = (entry for entry in missed.get(case["case_id"], ()) if entry.finding == finding)
    return contours + sorted(lesion for lesion in lesions if lesion.by in readers)


def results_sha256(run: Path) -> str:
    """The sha256 over contours and scores of a run, which identifies the run that decisions belong to."""
    digest = hashlib.sha256()
    for name in RESULTS:
        path = stored_table(run / name)
        with as_damage(path), open_file(path, most_bytes=LARGEST_BYTES) as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()

"""Subjects: what a reviewer is asked about: each contour of the network, and each lesion that it missed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from pipeline.errors import AuditError
from pipeline.reporting.run_folder import Case

Kind: TypeAlias = Literal["contour", "lesion"]

OF_LESIONS = ("lesion_iou", "box_iou")
"""Metrics with one score a lesion; 0 where no contour overlaps it. static/subjects.js has the same."""
RESULTS = ("regions.json", "scores.csv")
"""Contours and scores of all images: what decisions are about."""


class Subject(NamedTuple):
    """One contour or one missed lesion of an image."""

    kind: Kind
    finding: str
    by: str
    """The method that drew the contour, or the reader who drew the lesion."""
    number: int
    """Of the contours of one method, or of the lesions of one reader, counted from 1."""


def subjects(case: Case, findings: Sequence[str], method: str | None) -> list[Subject]:
    """Finding by finding: the contours of `method`, the highest first, then the lesions that it missed."""
    return [subject for finding in findings for subject in subjects_of(case, finding, method)]


def subjects_of(case: Case, finding: str, method: str | None) -> list[Subject]:
    """The same of one finding."""
    drawn = sum((r["finding"], r["method"]) == (finding, method) for r in case["regions"])
    contours = [Subject("contour", finding, method or "", number) for number in range(1, drawn + 1)]
    readers = {reference["reader"] for reference in case["references"] if reference["finding"] == finding}
    missed = (
        Subject("lesion", finding, score["reader"], score["lesion"])
        for score in case["scores"]
        if (score["finding"], score["method"], score["value"]) == (finding, method, 0)
        and score["metric"] in OF_LESIONS
        and score["reader"] in readers
    )
    return contours + sorted(missed)


def results_sha256(run: Path) -> str:
    """The sha256 over contours and scores of a run, by which decisions are told from those of another."""
    digest = hashlib.sha256()
    for name in RESULTS:
        try:
            with (run / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise AuditError(
                f"{run / name}: cannot be read ({error.strerror}); is this a finished run?"
            ) from error
    return digest.hexdigest()

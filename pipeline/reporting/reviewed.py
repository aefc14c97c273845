"""Reviewed: what the last `heatproof review` of a run found, which its pages take up for a second look."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.subjects import Kind, Subject
from pipeline.reporting.survey import Survey
from pipeline.run_files.tables import read_rows

REVIEW = "review.csv"


@dataclass(frozen=True, slots=True)
class LastReview:
    """The disputed questions of the last review, and how far each reviewer came."""

    disputed: Mapping[str, frozenset[Subject]]
    """Case id → contours and missed lesions whose reviewers' first answers differ."""
    answered: Mapping[str, int]
    """Reviewer → number of first answers."""


def last_review(run: RunFolder) -> LastReview:
    """The last review by its table; empty before the first one. ConfigError if the table is damaged."""
    path = run.path / REVIEW
    disputed: dict[str, set[Subject]] = defaultdict(set)
    answered: Counter[str] = Counter()
    for row in read_rows(path) if path.exists() else ():
        if row["kind"] not in {"contour", "lesion"} or not row["answer"]:
            continue
        answered[row["reviewer"]] += 1
        if row["standing"] == "disputed" and row["number"].isdecimal():
            kind: Kind = "contour" if row["kind"] == "contour" else "lesion"
            disputed[row["case_id"]].add(Subject(kind, row["finding"], row["by"], int(row["number"])))
    return LastReview({name: frozenset(found) for name, found in disputed.items()}, dict(answered))


def review_content(run: RunFolder, surveyed: Survey) -> dict[str, Any]:
    """What run.js says about the review.

    `disputed`: index of a case, and the numbers of its disputed questions in the order of its page, from 0.
    `reviewers`: name and number of answers, as merged last.
    """
    last = last_review(run)
    size = len(run.findings)
    asked = (
        [subject for row in surveyed.rows[start : start + size] for subject in row.subjects]
        for start in range(0, len(surveyed.rows), max(size, 1))
    )
    found = (
        (number, _places(subjects, last.disputed.get(case_id, frozenset())))
        for number, (case_id, subjects) in enumerate(zip(run.case_ids, asked, strict=False))
    )
    return {
        "blind": run.is_blind,
        "disputed": [[number, places] for number, places in found if places],
        "reviewers": sorted(last.answered.items()),
    }


def _places(subjects: Sequence[Subject], disputed: frozenset[Subject]) -> list[int]:
    return [place for place, subject in enumerate(subjects) if subject in disputed]

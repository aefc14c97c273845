"""Chosen: the worst cases of a run, and those that its reviewers dispute."""

from __future__ import annotations

from pipeline.reporting.overview import worst_rows
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import survey
from pipeline.run_files.tables import read_rows

REVIEW = "review.csv"
DISPUTED = "disputed"


def worst_cases(run: RunFolder) -> frozenset[str]:
    """The cases that the overview lists as the worst of any finding."""
    found = survey(run)
    return frozenset(row.case_id for finding in run.findings for row in worst_rows(found, finding))


def disputed_cases(run: RunFolder) -> frozenset[str]:
    """The cases with a contour or lesion that reviewers still answer differently; empty without a review."""
    path = run.path / REVIEW
    if not path.exists():
        return frozenset()
    return frozenset(
        row["case_id"]
        for row in read_rows(path)
        if (row.get("standing_after") or row["standing"]) == DISPUTED
    )

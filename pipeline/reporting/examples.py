"""Examples: cases with their pictures and outlines, for the overview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pipeline.reporting import figure
from pipeline.reporting.drawn_contours import ContourPaths, contour_paths
from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.reporting.survey import Row, Survey


@dataclass(frozen=True, slots=True)
class Example:
    """A case with its picture and outlines."""

    row: Row
    words: str
    """The outcome; empty if nothing was scored."""
    view_box: str
    columns: int
    rows: int
    contours: ContourPaths
    annotations: tuple[figure.Annotation, ...]


def examples(run: RunFolder, survey: Survey, rows: Sequence[Row]) -> dict[Row, Example]:
    """The examples of these rows. A case is read once for all findings: its file grows with their number."""
    found: dict[Row, Example] = {}
    for case_id, of_case in groupby(sorted(dict.fromkeys(rows), key=_case_id), key=_case_id):
        case = run.case(case_id)
        found |= {row: _example(case, run, survey, row) for row in of_case}
    return found


def _case_id(row: Row) -> str:
    return row.case_id


def _example(case: Case, run: RunFolder, survey: Survey, row: Row) -> Example:
    return Example(
        row=row,
        words=OUTCOMES[row.outcome].text if OUTCOMES[row.outcome].is_scored else "",
        view_box=figure.view_box(case),
        columns=case["columns"],
        rows=case["rows"],
        contours=contour_paths(case, row.finding, run.network),
        annotations=figure.reader_outlines(case, row.finding, survey.readers),
    )

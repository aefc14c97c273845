"""Typical: images with contours of each finding, for the first screen of a run that nothing was scored in."""

from __future__ import annotations

from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row, Survey

SHOWN = 4
"""Number of images shown per finding."""


def typical_rows(run: RunFolder, survey: Survey) -> dict[str, tuple[Row, ...]]:
    """Finding → images with a contour, evenly spaced from the highest probability to the lowest.

    Empty for a run in which maps were scored, whose worst and best cases are shown instead.
    """
    if run.is_scored:
        return {}
    return {finding: _spaced(survey, finding) for finding in run.findings}


def _spaced(survey: Survey, finding: str) -> tuple[Row, ...]:
    drawn = [row for row in survey.rows if row.finding == finding and _has_contour(row)]
    drawn.sort(key=lambda row: (-(row.probability or 0.0), row.case_id))
    last, places = len(drawn) - 1, min(SHOWN, len(drawn))
    chosen = {round(place * last / max(places - 1, 1)) for place in range(places)}
    return tuple(drawn[number] for number in sorted(chosen))


def _has_contour(row: Row) -> bool:
    return any(subject.kind == "contour" for subject in row.subjects)

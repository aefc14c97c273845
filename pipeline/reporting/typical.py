"""Typical: the images that stand for a finding on the first screen."""

from __future__ import annotations

from typing import TypeAlias

from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row, Survey

SHOWN = 4
"""Number of images shown per finding of a run that nothing was scored in."""
HITS = ("outlined", "located")
MISSES = ("elsewhere", "not_drawn")
"""Outcomes, as of `outcomes.OUTCOMES`: a picture is of the first that a finding has."""


Pair: TypeAlias = tuple[Row | None, Row | None]
"""A hit and a miss; None if the finding has none."""


def typical_rows(run: RunFolder, survey: Survey) -> dict[str, tuple[Row, ...]]:
    """Finding → images with a contour, evenly spaced from the highest probability to the lowest.

    Empty for a run in which maps were scored: `typical_pairs` shows a hit and a miss instead.
    """
    if run.is_scored:
        return {}
    return {finding: _spaced(survey, finding) for finding in run.findings}


def typical_pairs(run: RunFolder, survey: Survey) -> dict[str, Pair]:
    """Finding → a hit and a miss with the median overlap of their kind; empty for a run without scores."""
    if not run.is_scored:
        return {}
    of_finding: dict[str, list[Row]] = {finding: [] for finding in run.findings}
    for row in survey.rows:
        of_finding[row.finding].append(row)
    return {finding: (_median(rows, HITS), _median(rows, MISSES)) for finding, rows in of_finding.items()}


def _median(rows: list[Row], outcomes: tuple[str, ...]) -> Row | None:
    kinds = ([row for row in rows if row.outcome == outcome] for outcome in outcomes)
    kind = sorted(next(filter(None, kinds), []), key=_order)
    return kind[len(kind) // 2] if kind else None


def _order(row: Row) -> tuple[float, float, str]:
    overlap = row.iou if row.iou is not None else row.box_iou or 0.0
    return overlap, row.probability or 0.0, row.case_id


def _spaced(survey: Survey, finding: str) -> tuple[Row, ...]:
    drawn = [row for row in survey.rows if row.finding == finding and _has_contour(row)]
    drawn.sort(key=lambda row: (-(row.probability or 0.0), row.case_id))
    last, places = len(drawn) - 1, min(SHOWN, len(drawn))
    chosen = {round(place * last / max(places - 1, 1)) for place in range(places)}
    return tuple(drawn[number] for number in sorted(chosen))


def _has_contour(row: Row) -> bool:
    return any(subject.kind == "contour" for subject in row.subjects)

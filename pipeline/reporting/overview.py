"""Overview: everything that index.html shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import charts, facts, figure, limits, tables, words
from pipeline.reporting.run_folder import ALL_FINDINGS, RunFolder
from pipeline.reporting.survey import OUTCOMES, Row, Survey, hits
from pipeline.reporting.verdict import verdicts

CHARTS = (
    ("hit", "Hit rate against masks"),
    ("box_hit", "Hit rate against boxes"),
    ("iou", "Mean IoU against masks"),
    ("box_iou", "Mean IoU against boxes"),
)
EXTREMES = 4
"""Worst and best cases shown a finding."""
FIRST_ROWS = 100
"""Of the worklist, written into the page; a script brings the others."""
SKIPPED_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Example:
    """A case as a picture with outlines."""

    row: Row
    hit: str
    view_box: str
    columns: int
    rows: int
    contours: str
    annotations: tuple[figure.Annotation, ...]


@dataclass(frozen=True, slots=True)
class Extremes:
    """The worst and best cases of a finding."""

    finding: str
    worst: tuple[Example, ...]
    best: tuple[Example, ...]


def overview(run: RunFolder, survey: Survey) -> dict[str, Any]:
    """The variables of overview.html."""
    prior = next(iter(sorted(run.baselines, key=lambda name: name != "location_prior")), None)
    histograms = (
        charts.histogram(survey, finding, network=run.network, baseline=prior) for finding in run.findings
    )
    return {
        "verdicts": verdicts(run),
        "whiskers": [c for c in (charts.whisker_chart(run, *chart) for chart in CHARTS) if c],
        "histograms": [entry for entry in histograms if entry],
        "bins": {"width": charts.BAR_WIDTH, "height": charts.BAR_HEIGHT},
        "localisation": tables.localisation(run),
        "classification": tables.classification(run),
        "extremes": [e for e in (_extremes(run, survey, finding) for finding in run.findings) if e],
        "rows": survey.rows[:FIRST_ROWS],
        "row_count": len(survey.rows),
        "has_boxes": any(row.box_iou is not None for row in survey.rows),
        "outcomes": OUTCOMES,
        "cautions": survey.cautions[:SKIPPED_SHOWN],
        "caution_groups": Counter(words.reason(reason) for _, reason, _ in survey.cautions).most_common(),
        "skipped_groups": facts.skipped_groups(run.skipped),
        "skipped": run.skipped[:SKIPPED_SHOWN],
        "skipped_count": len(run.skipped),
        "facts": [
            ("Model", facts.model(run)),
            ("Data", facts.data(run, survey)),
            ("Method", facts.method(run, survey)),
        ],
        "checks": run.manifest.get("checks", []),
        "emptiness": facts.emptiness(run),
        "limits": list(limits.limits(run, survey)),
        "headline": _headline(run),
        "all_findings": ALL_FINDINGS,
    }


def ranked(rows: tuple[Row, ...], finding: str) -> list[Row]:
    """Annotated cases of a finding, worst first: by IoU, then the more confident error; names settle ties."""
    judged = [row for row in rows if row.finding == finding and _overlap(row) is not None]
    return sorted(judged, key=lambda row: (_overlap(row), -(row.probability or 0), row.case_id))


def _overlap(row: Row) -> float | None:
    return row.iou if row.iou is not None else row.box_iou


def _extremes(run: RunFolder, survey: Survey, finding: str) -> Extremes | None:
    shown = {"hit", "partly", "miss", "not_drawn"}
    order = [row for row in ranked(survey.rows, finding) if row.outcome in shown]
    if not order:
        return None
    share = min(EXTREMES, max(1, len(order) // 2))
    best = [row for row in order[::-1][:share] if _overlap(row)]
    return Extremes(
        finding,
        tuple(_example(run, survey, row) for row in order[:share]),
        tuple(_example(run, survey, row) for row in best),
    )


def _example(run: RunFolder, survey: Survey, row: Row) -> Example:
    case = run.case(row.case_id)
    return Example(
        row=row,
        hit=OUTCOMES[row.outcome] if hits(case, row.finding, run.network) else "",
        view_box=figure.view_box(case),
        columns=case["columns"],
        rows=case["rows"],
        contours=figure.contours(case, row.finding, run.network),
        annotations=figure.reader_outlines(case, row.finding, survey.readers),
    )


def _headline(run: RunFolder) -> str:
    """What was audited, on one line."""
    audited = run.manifest.get("studies", {}).get("audited", len(run.case_ids))
    name = run.manifest.get("card", {}).get("name", "the network")
    return f"{name} on {words.plural(audited, 'image')}"

"""Overview: everything that index.html shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.names import ALL_FINDINGS
from pipeline.reporting import charts, facts, figure, forest, headlines, limits, lines, tables, tuning, words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import OUTCOMES, Row, Survey, hits
from pipeline.reporting.verdict import Verdict, gated, verdicts

CHARTS = (
    ("hit", "Hit rate against masks"),
    ("box_hit", "Hit rate against boxes"),
    ("iou", "Mean IoU against masks"),
    ("box_iou", "Mean IoU against boxes"),
)
EXTREMES = 4
"""Worst and best cases shown a finding."""
SKIPPED_SHOWN = 300
POLICY = {
    "pass": "The policy is met.",
    "warn": "The policy is met by the estimates, but not beyond doubt.",
    "unknown": "The policy asks for numbers that this run does not have.",
    "fail": "The policy is not met.",
}


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
    told = [_told(run, verdict) for verdict in verdicts(run)]
    policy = headlines.worst(tuple(limit for _, _, limits, _ in told for limit in limits))
    return {
        "verdicts": told,
        "units": run.manifest.get("statistics", {}).get("units", "patients"),
        "policy_outcome": policy,
        "policy_words": POLICY,
        "gated": gated(run),
        "warnings": list(tuning.warnings(run)),
        "whiskers": [c for c in (charts.whisker_chart(run, *chart) for chart in CHARTS) if c],
        "histograms": [entry for entry in histograms if entry],
        "bins": {"width": charts.BAR_WIDTH, "height": charts.BAR_HEIGHT},
        "localisation": tables.localisation(run),
        "more": tables.further(run),
        "lesions": tables.lesions(run),
        "comparisons": tables.comparisons(run),
        "frocs": _each(lines.froc, run),
        "thresholds": _each(lines.thresholds, run),
        "calibrations": _each(lines.calibration, run),
        "forests": forest.forest_charts(run),
        "classification": tables.classification(run),
        "extremes": [e for e in (_extremes(run, survey, finding) for finding in run.findings) if e],
        "cautions": survey.cautions[:SKIPPED_SHOWN],
        "caution_groups": Counter(words.reason(reason) for _, reason, _ in survey.cautions).most_common(),
        "skipped_groups": facts.skipped_groups(run.skipped),
        "skipped": run.skipped[:SKIPPED_SHOWN],
        "skipped_count": len(run.skipped),
        "facts": [
            ("Heatmaps", facts.brought(run)) if run.is_brought else ("Model", facts.model(run)),
            ("Data", facts.data(run, survey)),
            ("Method", facts.method(run, survey)),
        ],
        "checks": run.manifest.get("checks", []),
        "emptiness": facts.emptiness(run),
        "limits": list(limits.limits(run, survey)),
        "headline": _headline(run),
        "all_findings": ALL_FINDINGS,
    }


def _told(
    run: RunFolder, verdict: Verdict
) -> tuple[Verdict, headlines.Skill | None, tuple[headlines.Limit, ...], str]:
    """A verdict with its skill, the policy's limits, and the colour: the policy's where it has a limit."""
    limits = headlines.limits_of(run, verdict.finding)
    colour = headlines.worst(limits) or verdict.standing.replace("_", "-")
    return verdict, headlines.skill_of(run, verdict.finding), limits, colour


def _each(chart: Callable[[RunFolder, str], lines.LineChart | None], run: RunFolder) -> list[lines.LineChart]:
    """The chart of each finding that has one."""
    return [found for finding in run.findings if (found := chart(run, finding)) is not None]


def ranked(rows: tuple[Row, ...], finding: str) -> list[Row]:
    """Annotated cases of a finding, worst first: by IoU, then the more confident error; names settle ties."""
    judged = [row for row in rows if row.finding == finding and _overlap(row) is not None]
    return sorted(judged, key=lambda row: (_overlap(row), -(row.probability or 0), row.case_id))


def extreme_cases(run: RunFolder, survey: Survey) -> tuple[str, ...]:
    """The cases that the overview shows as worst and best, in its order."""
    groups = (_extreme_rows(survey, finding) for finding in run.findings)
    return tuple(dict.fromkeys(row.case_id for worst, best in groups for row in (*worst, *best)))


def _overlap(row: Row) -> float | None:
    return row.iou if row.iou is not None else row.box_iou


def _extremes(run: RunFolder, survey: Survey, finding: str) -> Extremes | None:
    worst, best = _extreme_rows(survey, finding)
    if not worst:
        return None
    return Extremes(
        finding,
        tuple(_example(run, survey, row) for row in worst),
        tuple(_example(run, survey, row) for row in best),
    )


def _extreme_rows(survey: Survey, finding: str) -> tuple[list[Row], list[Row]]:
    """The worst and the best, none of them twice."""
    shown = {"hit", "partly", "miss", "not_drawn"}
    order = [row for row in ranked(survey.rows, finding) if row.outcome in shown]
    share = min(EXTREMES, max(1, len(order) // 2)) if order else 0
    return order[:share], [row for row in order[::-1][:share] if _overlap(row)]


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
    name = "Heatmaps" if run.is_brought else run.manifest.get("card", {}).get("name", "the network")
    by = f", seen through {run.network}" if run.network else ""
    return f"{name} on {words.plural(audited, 'image')}{by}"

"""Forest: scores within groups of images, one chart per finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from pipeline.records.names import POINTING
from pipeline.reporting import words
from pipeline.reporting.charts import GAP, HEAD, LINE, Whisker, WhiskerChart, axis, chart_x
from pipeline.reporting.run_folder import RunFolder, number_of

SHOWN = (POINTING, ("auroc",))
"""Metrics of a chart each; the first that a finding has is shown."""
LONGEST = 20
"""Most characters of a group's name in the chart."""


def forest_charts(run: RunFolder) -> tuple[WhiskerChart, ...]:
    """Pointing and AUROC within groups, for each finding with at least two groups of one attribute."""
    charts = (_chart(run, finding, metrics) for finding in run.findings for metrics in SHOWN)
    return tuple(chart for chart in charts if chart is not None)


def _chart(run: RunFolder, finding: str, metrics: Sequence[str]) -> WhiskerChart | None:
    rows = [row for row in run.table("subgroups") if row["finding"] == finding]
    metric = next((name for name in metrics if any(row["metric"] == name for row in rows)), None)
    if metric is None:
        return None
    most = max(int(row["n"]) for row in rows if row["metric"] == metric)
    reader = next(r["reader"] for r in rows if r["metric"] == metric and int(r["n"]) == most)
    chosen = [row for row in rows if (row["metric"], row["reader"]) == (metric, reader)]
    groups = []
    y = float(HEAD)
    for attribute, found in groupby(chosen, key=lambda row: row["attribute"]):
        group = list(found)
        if len(group) > 1:
            y += GAP + LINE
            lines = tuple(_line(row, metric, y + LINE * number) for number, row in enumerate(group, start=1))
            groups.append((words.spaced(attribute), y, lines))
            y += LINE * len(group)
    if not groups:
        return None
    title = f"{finding}: {words.metric_title(metric, {})}"
    return WhiskerChart(title, y + GAP, axis(metric), tuple(groups))


def _line(row: Mapping[str, str], metric: str, y: float) -> Whisker:
    label = row["group"] if len(row["group"]) <= LONGEST else row["group"][: LONGEST - 1] + "…"
    estimate = number_of(row["estimate"])
    if estimate is None:
        return Whisker(
            label, "none", y, chart_x(0.0), chart_x(0.0), chart_x(0.0), f"too few ({row['patients']})"
        )
    low, high = (number_of(row[end]) for end in ("low", "high"))
    return Whisker(
        label=label,
        mark="network",
        y=y,
        x=chart_x(estimate),
        low=chart_x(estimate if low is None else low),
        high=chart_x(estimate if high is None else high),
        text=f"{words.number(estimate, metric)} of {row['n']}{_differs(row)}",
    )


def _differs(row: Mapping[str, str]) -> str:
    """A star if the group is shown to differ from the other images, else an empty text."""
    return " *" if row.get("differs") == "1" else ""

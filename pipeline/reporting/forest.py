"""Forest: scores within groups of images, one chart per finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from pipeline.records.names import POINTING
from pipeline.reporting import words
from pipeline.reporting.charts import IntervalChart, IntervalLine, axis, chart_x
from pipeline.reporting.run_folder import RunFolder, number_of

SHOWN = (POINTING, ("auroc",))
"""Metrics of a chart each; the first that a finding has is shown."""


def forest_charts(run: RunFolder) -> tuple[IntervalChart, ...]:
    """Pointing and AUROC within groups, for each finding with at least two groups of one attribute."""
    charts = (_chart(run, finding, metrics) for finding in run.findings for metrics in SHOWN)
    return tuple(chart for chart in charts if chart is not None)


def _chart(run: RunFolder, finding: str, metrics: Sequence[str]) -> IntervalChart | None:
    rows = [row for row in run.table("subgroups") if row["finding"] == finding]
    metric = next((name for name in metrics if any(row["metric"] == name for row in rows)), None)
    if metric is None:
        return None
    most = max(int(row["n"]) for row in rows if row["metric"] == metric)
    reader = next(r["reader"] for r in rows if r["metric"] == metric and int(r["n"]) == most)
    chosen = [row for row in rows if (row["metric"], row["reader"]) == (metric, reader)]
    found = ((attribute, list(group)) for attribute, group in groupby(chosen, lambda row: row["attribute"]))
    groups = tuple(
        (words.spaced(attribute), tuple(_line(row, metric) for row in group))
        for attribute, group in found
        if len(group) > 1
    )
    title = f"{finding}: {words.metric_title(metric, {})}"
    return IntervalChart(title, axis(metric), groups) if groups else None


def _line(row: Mapping[str, str], metric: str) -> IntervalLine:
    estimate = number_of(row["estimate"])
    if estimate is None:
        return IntervalLine(row["group"], "none", 0, 0, 0, "too few patients,", n=row["patients"])
    low, high = (number_of(row[end]) for end in ("low", "high"))
    return IntervalLine(
        label=row["group"],
        mark="network",
        x=chart_x(estimate),
        low=chart_x(estimate if low is None else low),
        high=chart_x(estimate if high is None else high),
        text=f"{words.number(estimate, metric)}{_differs(row)}",
        interval=words.bounds(low, high, metric),
        n=row["n"],
    )


def _differs(row: Mapping[str, str]) -> str:
    """A star if the group is shown to differ from the other images, else an empty text."""
    return " *" if row.get("differs") == "1" else ""

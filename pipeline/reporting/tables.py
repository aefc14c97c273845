"""Tables: summary.csv as the overview shows it, every number with its n, interval and what is undefined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipeline.records import Summary
from pipeline.reporting import words
from pipeline.reporting.charts import finding_title
from pipeline.reporting.run_folder import ALL_FINDINGS, CLASSIFIER, RunFolder

CLASSIFICATION = ("auroc", "sensitivity", "specificity")
GROUPS = ("against masks", "against boxes", "where the reader sees nothing")
HEALTHY = "contour_on_healthy"


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as a column's head."""

    metric: str
    title: str
    group: str
    better: str
    """"higher" or "lower"."""
    level: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of summary.csv."""

    value: str
    """As a machine reads it; empty where it is undefined."""
    text: str
    interval: str
    n: int
    undefined: int
    reasons: tuple[tuple[str, int], ...]
    """In words, with counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One method against one reader; cells in the order of the columns, None where there is no such score."""

    label: str
    reader: str
    is_baseline: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one finding."""

    finding: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and lines a finding."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]

    @property
    def heads(self) -> list[tuple[str, int]]:
        """The names above neighbouring columns, with how many they span."""
        return [
            (name, len(list(columns))) for name, columns in groupby(self.columns, lambda column: column.group)
        ]


def localisation(run: RunFolder) -> Table:
    """Where the network looks: methods as lines, metrics as columns, mask and box scores apart."""
    rows = [row for row in run.summaries if row.method != CLASSIFIER]
    known = {row.metric for row in rows}
    columns = [_column(metric) for metric in run.manifest["metrics"] if metric["name"] in known]
    columns.sort(key=lambda column: GROUPS.index(column.group))
    order = {method.name: index for index, method in enumerate(run.methods)}
    return _table(run, columns, sorted(rows, key=lambda row: (row.reader, order.get(row.method, len(order)))))


def classification(run: RunFolder) -> Table:
    """How well the probabilities tell the images apart."""
    rows = [row for row in run.summaries if row.method == CLASSIFIER]
    columns = [Column(name, words.METRICS[name], "", "higher", "image") for name in CLASSIFICATION]
    return _table(run, columns, rows)


def _column(metric: dict[str, Any]) -> Column:
    title = words.metric_title(metric["name"], {metric["name"]: metric["title"]})
    return Column(metric["name"], title, _group(metric), metric["better"], metric["level"])


def _group(metric: dict[str, Any]) -> str:
    if metric["name"] == HEALTHY:
        return GROUPS[2]
    return GROUPS[0] if "mask" in metric["against"] else GROUPS[1]


def _table(run: RunFolder, columns: Sequence[Column], rows: Sequence[Summary]) -> Table:
    groups = tuple(
        Group(finding_title(finding), lines)
        for finding in (*run.findings, ALL_FINDINGS)
        if (lines := _lines(run, columns, [row for row in rows if row.finding == finding]))
    )
    return Table(tuple(columns), groups)


def _lines(run: RunFolder, columns: Sequence[Column], rows: Iterable[Summary]) -> tuple[Line, ...]:
    by_line: dict[tuple[str, str], dict[str, Summary]] = {}
    for row in rows:
        by_line.setdefault((row.reader, row.method), {})[row.metric] = row
    return tuple(
        Line(
            label=words.method_title(method),
            reader=reader,
            is_baseline=method in run.baselines,
            cells=tuple(_cell(found.get(column.metric)) for column in columns),
        )
        for (reader, method), found in by_line.items()
    )


def _cell(row: Summary | None) -> Cell | None:
    if row is None:
        return None
    return Cell(
        value="" if row.estimate is None else repr(row.estimate),
        text="undefined" if row.estimate is None else words.number(row.estimate, row.metric),
        interval=words.interval(row),
        n=row.n,
        undefined=sum(row.undefined.values()),
        reasons=tuple((words.reason(code), count) for code, count in row.undefined.items()),
    )

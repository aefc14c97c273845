"""Tables: summary.csv as tables of the overview, with n, interval and undefined scores of every number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipeline.records import Summary
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER
from pipeline.reporting import words
from pipeline.reporting.charts import finding_title
from pipeline.reporting.run_folder import RunFolder, number_of

HEALTHY = "contour_on_healthy"
CLASSIFICATION = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "brier")
FIRST = frozenset({"iou", "dice", "hit", "energy_inside", "box_iou", "box_hit", "contour_on_healthy"})
"""Metrics of the first table; all others are in a second one."""
LESIONS = {
    "recall_iou_0.1": "Found at IoU 0.1",
    "recall_iou_0.3": "at 0.3",
    "recall_iou_0.5": "at 0.5",
    "froc_mean": "FROC, mean",
    "ap_iou_0.1": "AP at IoU 0.1",
    "ap_iou_0.5": "at 0.5",
    "ap_mean": "AP, mean",
}
"""Columns of the lesion table for each kind of annotation; summary.csv has all rates."""
PREFIXES = {"lesion_": "against masks", "box_lesion_": "against boxes"}
GROUPS = ("against masks", "against boxes", "images without the finding")


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column, which shows one metric."""

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
    """Exact value for programs; empty if undefined."""
    text: str
    interval: str
    n: int
    undefined: int
    reasons: tuple[tuple[str, int], ...]
    """Reasons why scores are undefined, as text, with counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """One method compared with one reader; cells in column order, None if there is no such score."""

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
    """Columns, and one group of lines per finding."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]

    @property
    def heads(self) -> list[tuple[str, int]]:
        """Names above groups of neighbouring columns, and the number of columns of each."""
        return [
            (name, len(list(columns))) for name, columns in groupby(self.columns, lambda column: column.group)
        ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row of comparisons.csv as text."""

    finding: str
    reader: str
    against: str
    metric: str
    n: str
    first: str
    second: str
    difference: str
    interval: str
    p: str
    corrected_p: str
    standing: str
    words: str


def comparisons(run: RunFolder) -> list[Comparison]:
    """The network's first method compared with every other method on the same images."""
    return [_comparison(row, run) for row in run.table("comparisons") if row["difference"]]


def _comparison(row: Mapping[str, str], run: RunFolder) -> Comparison:
    metric = row["metric"]
    first, second = (words.number(float(row[f"{side}_estimate"]), metric) for side in ("first", "second"))
    difference, low, high = (
        words.difference(float(row[f"difference{end}"]), metric) if row[f"difference{end}"] else ""
        for end in ("", "_low", "_high")
    )
    return Comparison(
        finding=row["finding"],
        reader=row["reader"],
        against=run.title_of(row["second"]),
        metric=words.metric_title(metric, {}),
        n=f"{int(row['n']):,}",
        first=first,
        second=second,
        difference=difference,
        interval=f"[{low} to {high}]" if low else "",
        p=words.p_cell(row["p"]),
        corrected_p=words.p_cell(row["corrected_p"]),
        standing=row.get("standing", ""),
        words=words.standing(
            row.get("standing", ""), number_of(row["difference_low"]), number_of(row["difference_high"])
        ),
    )


def localisation(run: RunFolder) -> Table:
    """Localisation scores: one line per method and reader, with separate columns for masks and boxes."""
    return _localisation(run, lambda metric: metric in FIRST)


def further(run: RunFolder) -> Table:
    """All metrics that are not in the first table."""
    return _localisation(run, lambda metric: metric not in FIRST)


def lesions(run: RunFolder) -> Table:
    """Lesion detection: recall, FROC and average precision, separately for masks and boxes."""
    names = {
        prefix + name: (title, group) for prefix, group in PREFIXES.items() for name, title in LESIONS.items()
    }
    rows = [row for row in run.summaries if row.metric in names and row.n]
    known = {row.metric for row in rows}
    columns = [
        Column(name, title, group, "higher", "image")
        for name, (title, group) in names.items()
        if name in known
    ]
    return _table(run, columns, _ordered(run, rows))


def _localisation(run: RunFolder, shown: Callable[[str], bool]) -> Table:
    names = {metric["name"] for metric in run.manifest["metrics"] if shown(metric["name"])}
    rows = [
        row
        for row in run.summaries
        if row.method != CLASSIFIER
        and row.metric in names
        and not (row.metric == HEALTHY and row.method in run.baselines)  # baselines share the network's gate
    ]
    known = {row.metric for row in rows}
    columns = [_column(metric) for metric in run.manifest["metrics"] if metric["name"] in known]
    columns.sort(key=lambda column: GROUPS.index(column.group))
    return _table(run, columns, _ordered(run, rows))


def _ordered(run: RunFolder, rows: Sequence[Summary]) -> list[Summary]:
    """The rows sorted by reader, then in the order of the run's methods."""
    order = {method.name: index for index, method in enumerate(run.methods)}
    return sorted(rows, key=lambda row: (row.reader, order.get(row.method, len(order))))


def classification(run: RunFolder) -> Table:
    """Classification metrics of the network's probabilities; empty if no image is labelled."""
    rows = [row for row in run.summaries if row.method == CLASSIFIER]
    if not any(row.n for row in rows):
        return Table((), ())
    known = {row.metric for row in rows}
    columns = [
        Column(name, words.METRICS[name], "", "lower" if name == "brier" else "higher", "image")
        for name in CLASSIFICATION
        if name in known
    ]
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
            label=run.title_of(method),
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

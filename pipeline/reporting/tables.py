"""Tables: summary.csv as the overview shows it, every number with its n, interval and what is undefined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pipeline.names import ALL_FINDINGS, CLASSIFIER
from pipeline.records import Summary
from pipeline.reporting import words
from pipeline.reporting.charts import finding_title
from pipeline.reporting.run_folder import RunFolder, number_of
from pipeline.reporting.verdict import HEALTHY, stands

CLASSIFICATION = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv", "brier")
FIRST = frozenset({"iou", "dice", "hit", "energy_inside", "box_iou", "box_hit", "contour_on_healthy"})
"""Metrics of the first table; all others follow in a second."""
LESIONS = {
    "recall_iou_0.1": "Found at IoU 0.1",
    "recall_iou_0.3": "at 0.3",
    "recall_iou_0.5": "at 0.5",
    "froc_mean": "FROC, mean",
    "ap_iou_0.1": "AP at IoU 0.1",
    "ap_iou_0.5": "at 0.5",
    "ap_mean": "AP, mean",
}
"""Of each kind of annotation; all rates are in summary.csv."""
PREFIXES = {"lesion_": "against masks", "box_lesion_": "against boxes"}
GROUPS = ("against masks", "against boxes", "where the reader sees nothing")


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
    standing: str
    words: str


STANDINGS = {
    "better": "better",
    "worse": "worse",
    "no_better": "not shown to differ",
    "unknown": "too few to tell",
}


def comparisons(run: RunFolder) -> list[Comparison]:
    """The network's first method against every other, on the same images."""
    return [_comparison(row) for row in run.table("comparisons") if row["difference"]]


def _comparison(row: Mapping[str, str]) -> Comparison:
    metric = row["metric"]
    first, second = (words.number(float(row[f"{side}_estimate"]), metric) for side in ("first", "second"))
    apart, low, high = (
        words.difference(float(row[f"difference{end}"]), metric) if row[f"difference{end}"] else ""
        for end in ("", "_low", "_high")
    )
    standing = stands(row)
    return Comparison(
        finding=row["finding"],
        reader=row["reader"],
        against=words.method_title(row["second"]),
        metric=words.metric_title(metric, {}),
        n=f"{int(row['n']):,}",
        first=first,
        second=second,
        difference=apart,
        interval=f"{low} to {high}" if low else "",
        p=words.p_value(number_of(row["corrected_p"])).removeprefix("= "),
        standing=standing,
        words=STANDINGS[standing],
    )


def localisation(run: RunFolder) -> Table:
    """Where the network looks: methods as lines, metrics as columns, mask and box scores apart."""
    return _localisation(run, lambda metric: metric in FIRST)


def further(run: RunFolder) -> Table:
    """All metrics that the first table leaves out."""
    return _localisation(run, lambda metric: metric not in FIRST)


def lesions(run: RunFolder) -> Table:
    """Lesions found, and at what price, masks and boxes apart."""
    names = {prefix + name: (title, of) for prefix, of in PREFIXES.items() for name, title in LESIONS.items()}
    rows = [row for row in run.summaries if row.metric in names and row.n]
    known = {row.metric for row in rows}
    columns = [
        Column(name, title, of, "higher", "image") for name, (title, of) in names.items() if name in known
    ]
    return _table(run, columns, _ordered(run, rows))


def _localisation(run: RunFolder, shown: Callable[[str], bool]) -> Table:
    names = {metric["name"] for metric in run.manifest["metrics"] if shown(metric["name"])}
    rows = [
        row
        for row in run.summaries
        if row.method != CLASSIFIER
        and row.metric in names
        and not (row.metric == HEALTHY and row.method in run.baselines)  # they share the network's gate
    ]
    known = {row.metric for row in rows}
    columns = [_column(metric) for metric in run.manifest["metrics"] if metric["name"] in known]
    columns.sort(key=lambda column: GROUPS.index(column.group))
    return _table(run, columns, _ordered(run, rows))


def _ordered(run: RunFolder, rows: Sequence[Summary]) -> list[Summary]:
    """By reader, then in the order of the run's methods."""
    order = {method.name: index for index, method in enumerate(run.methods)}
    return sorted(rows, key=lambda row: (row.reader, order.get(row.method, len(order))))


def classification(run: RunFolder) -> Table:
    """How well the probabilities tell the images apart."""
    rows = [row for row in run.summaries if row.method == CLASSIFIER]
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

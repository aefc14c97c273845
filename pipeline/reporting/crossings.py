"""Crossings: cross.csv and alignment.csv as tables of the overview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.reporting import words
from pipeline.reporting.charts import finding_title
from pipeline.reporting.run_folder import RunFolder

AS_IT_IS = "as_it_is"
MEASURES = {"auroc": "AUROC of each output for each label", "hit": "Hit rate of each map in each annotation"}
"""Measure of cross.csv → title; rates are shown in the format of their metric."""
BEST = 3
"""Transforms that are shown beside the annotations as they are."""

Row = Mapping[str, str]


class Square(NamedTuple):
    """A measure of every output (columns) for every finding (rows); "" where there is none."""

    title: str
    outputs: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class Turned(NamedTuple):
    """One transform of a finding's annotations."""

    finding: str
    transform: str
    n: str
    rank: str
    hits: str
    p: str


def squares(run: RunFolder) -> list[Square]:
    """The measures of cross.csv, each as a table; none with a single finding."""
    return [
        square
        for measure, title in MEASURES.items()
        if (square := _square(title, [row for row in run.table("cross") if row["measure"] == measure], run))
        and len(square.outputs) > 1
    ]


def turned(run: RunFolder) -> list[Turned]:
    """The annotations as they are and the transforms that fit best, for each finding."""
    by_finding: dict[str, list[Row]] = {}
    for row in run.table("alignment"):
        by_finding.setdefault(row["finding"], []).append(row)
    return [_turned(row) for rows in by_finding.values() for row in _best(rows)]


def _square(title: str, rows: list[Row], run: RunFolder) -> Square:
    known = {(row["finding"], row["output"]): row for row in rows}
    outputs = tuple(name for name in run.findings if any(name == output for _, output in known))
    findings = [name for name in run.findings if any(name == finding for finding, _ in known)]
    return Square(
        title,
        outputs,
        tuple((of, tuple(_cell(known.get((of, output))) for output in outputs)) for of in findings),
    )


def _cell(row: Row | None) -> str:
    return "" if row is None or not row["estimate"] else words.number(float(row["estimate"]), row["measure"])


def _best(rows: list[Row]) -> list[Row]:
    as_it_is = [row for row in rows if row["transform"] == AS_IT_IS]
    others = [row for row in rows if row["transform"] != AS_IT_IS]
    return [*as_it_is, *sorted(others, key=lambda row: -float(row["rank"]))[:BEST]]


def _turned(row: Row) -> Turned:
    p = float(row["corrected_p"]) if row["corrected_p"] else None
    return Turned(
        finding_title(row["finding"]),
        words.spaced(row["transform"]),
        f"{int(row['n']):,}",
        words.number(float(row["rank"]), ""),
        words.number(float(row["hits"]), "hit"),
        words.p_value(p).removeprefix("= "),
    )

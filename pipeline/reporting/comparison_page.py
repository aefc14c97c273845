"""Comparison page: a comparison folder → its index.html, in the report's look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting import words
from pipeline.reporting.pages import Write, copy_static, environment_of
from pipeline.reporting.run_folder import json_of, number_of, rows_of

LEVEL = 0.05
"""Of corrected p-values: from here down a difference is told as one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of comparison.csv as the page shows it."""

    finding: str
    metric: str
    reader: str
    n: str
    first: str
    second: str
    difference: str
    interval: str
    p: str
    standing: str
    """"better", "worse", "no_better" or "identical": the first run against the second."""


def write_comparison_page(folder: Path, *, write: Write = Path.write_bytes) -> Path:
    """The page of a comparison folder, made of comparison.json and comparison.csv alone."""
    facts = json_of(folder / "comparison.json")
    copy_static(folder, write=write)
    environment = environment_of(
        run_id=folder.name, title="Comparison", created="", version=facts["version"], network=""
    )
    page = environment.get_template("comparison.html").render(
        root="",
        facts=facts,
        lines=[_line(row) for row in rows_of(folder / "comparison.csv")],
        level=LEVEL,
    )
    index = folder / "index.html"
    write(index, page.encode())
    return index


def _line(row: Mapping[str, str]) -> Line:
    metric = row["metric"]
    first, second, apart, low, high = (
        _shown(name, row[name], metric)
        for name in ("first_estimate", "second_estimate", "difference", "difference_low", "difference_high")
    )
    return Line(
        finding=row["finding"],
        metric=words.metric_title(metric, {}),
        reader=row["reader"],
        n=f"{int(row['n']):,}",
        first=first,
        second=second,
        difference=apart,
        interval=f"{low} to {high}" if row["difference_low"] else "",
        p=words.p_value(number_of(row["corrected_p"])).removeprefix("= "),
        standing=_standing(row),
    )


def _shown(name: str, value: str, metric: str) -> str:
    if not value:
        return "undefined"
    of_two = name.startswith("difference")
    return words.difference(float(value), metric) if of_two else words.number(float(value), metric)


def _standing(row: Mapping[str, str]) -> str:
    if row["difference"] and not row["difference_low"] and not float(row["difference"]):
        return "identical"
    if not row["corrected_p"] or float(row["corrected_p"]) > LEVEL:
        return "no_better"
    return "better" if float(row["difference"]) > 0 else "worse"

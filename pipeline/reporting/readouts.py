"""Readouts: the rows of readouts.csv as text: what a linear function can read from the features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

NONSENSE = "A label without meaning"


class Known(NamedTuple):
    """How well one label can be read."""

    title: str
    n: str
    positives: str
    features: str
    """AUROC with its interval, or why there is none."""
    output: str
    """AUROC of the network's own output with its interval; empty if it is no finding."""
    difference: str


def readouts(run: RunFolder) -> tuple[Known, ...]:
    """What the features know, findings first; empty for a run without readouts."""
    return tuple(map(_known, run.table("readouts")))


def _known(row: Mapping[str, str]) -> Known:
    return Known(
        _title(row),
        row["n"],
        row["positives"],
        row["because"] or _interval(row, "auroc", "low", "high"),
        _interval(row, "output", "output_low", "output_high"),
        _interval(row, "difference", "difference_low", "difference_high"),
    )


def _title(row: Mapping[str, str]) -> str:
    if row["kind"] == "nonsense":
        return NONSENSE
    if row["kind"] == "finding":
        return row["name"]
    name = words.spaced(row["name"]).capitalize()
    return f"{name}: {row['group']}" if row["group"] else name


def _interval(row: Mapping[str, str], *names: str) -> str:
    estimate, low, high = (number_of(row[name]) for name in names)
    if estimate is None:
        return ""
    interval = "" if low is None or high is None else f" [{_signed(low)} to {_signed(high)}]"
    return f"{_signed(estimate)}{interval}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")

"""Readouts: the rows of readouts.csv and attribute_maps.csv as text: what features and maps know."""

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


class Alike(NamedTuple):
    """How much the maps of one label look like those of each finding."""

    title: str
    likeness: tuple[str, ...]
    """With interval and number of images, or why there is none; one per finding of `findings`."""


def alike(run: RunFolder) -> tuple[tuple[str, ...], tuple[Alike, ...]]:
    """Findings, and what their maps look like; empty for a run without maps of attributes."""
    found: dict[str, dict[str, str]] = {}
    for row in run.table("attribute_maps"):
        found.setdefault(label_title(row), {})[row["finding"]] = _likeness(row)
    findings = tuple(dict.fromkeys(row["finding"] for row in run.table("attribute_maps")))
    return findings, tuple(
        Alike(title, tuple(of.get(finding, "") for finding in findings)) for title, of in found.items()
    )


def _likeness(row: Mapping[str, str]) -> str:
    return row["because"] or f"{_interval(row, 'estimate', 'low', 'high')} (n {row['n']})"


def _known(row: Mapping[str, str]) -> Known:
    return Known(
        label_title(row),
        row["n"],
        row["positives"],
        row["because"] or _interval(row, "auroc", "low", "high"),
        _interval(row, "output", "output_low", "output_high"),
        _interval(row, "difference", "difference_low", "difference_high"),
    )


def label_title(row: Mapping[str, str]) -> str:
    """Name of the finding, of the attribute with its group, or of the label without meaning."""
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

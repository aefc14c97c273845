"""Numbers: estimates of a run's tables as text, with interval, n and patients, and as values for forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.dossier.answers import Estimate
from pipeline.dossier.material import Material
from pipeline.records import Summary
from pipeline.records.names import ALL_FINDINGS, OVERLAPS, POINTING
from pipeline.reporting import words
from pipeline.reporting.run_folder import number_of

BOUNDS = ("estimate", "low", "high")


def title(metric: str, material: Material) -> str:
    """Short name of a metric."""
    titles = {entry["name"]: entry["title"] for entry in material.manifest.get("metrics", ())}
    return words.metric_title(metric, titles)


def key_of(summary: Summary) -> tuple[tuple[str, str], ...]:
    """What selects the row of summary.csv."""
    return tuple((name, getattr(summary, name)) for name in ("finding", "reader", "method", "metric"))


def name_of(finding: str) -> str:
    """The finding, or what a row about all of them is called."""
    return "all findings" if finding == ALL_FINDINGS else finding


def of_summary(summary: Summary, material: Material) -> str:
    """A row of summary.csv: "Hit rate 70 % [44 to 90], n 20 images, 19 patients"."""
    unit = "image" if not summary.metric.startswith(("lesion_", "box_lesion_", "point_lesion_")) else "lesion"
    if summary.metric in OVERLAPS[1:]:
        unit = "lesion"
    return (
        f"{title(summary.metric, material)} {words.estimate(summary)}, n {words.plural(summary.n, unit)}, "
        f"{words.plural(summary.patients, 'patient')}"
    )


def value_of(summary: Summary, material: Material) -> Estimate | None:
    """A row of summary.csv as a value; None if it has none."""
    if summary.estimate is None:
        return None
    label = f"{title(summary.metric, material)}, {name_of(summary.finding)}"
    return Estimate(label, summary.estimate, summary.low, summary.high, material.run.confidence)


def interval_in(row: Mapping[str, str], metric: str) -> str:
    """Estimate with interval of a row of a table."""
    estimate, low, high = (number_of(row[name]) for name in BOUNDS)
    return words.with_interval(estimate, low, high, metric)


def plain_interval(row: Mapping[str, str], names: Sequence[str] = BOUNDS) -> str:
    """Estimate with interval of a row, in the unit of the table: "0.31 [0.20 to 0.42]"."""
    estimate, low, high = (number_of(row[name]) for name in names)
    between = "" if low is None or high is None else f" [{words.number(low, '')} to {words.number(high, '')}]"
    return f"{words.number(estimate or 0.0, '')}{between}"


def value_in(row: Mapping[str, str], label: str, material: Material, *, unit: str = "") -> Estimate | None:
    """A row of a table as a value; None if it has none."""
    estimate, low, high = (number_of(row[name]) for name in BOUNDS)
    return None if estimate is None else Estimate(label, estimate, low, high, material.run.confidence, unit)


def amount(difference: float | None, metric: str) -> str:
    """A difference of a metric: "32 points" of a rate, else "0.09"; "none" for None."""
    if difference is None:
        return "none"
    return f"{100 * difference:.0f} points" if metric in POINTING else f"{difference:.2f}"

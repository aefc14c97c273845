"""Causal: the rows of causal.csv as text: maps on lesions that the decision needs, and on the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

REASONS: Mapping[str, str] = {
    "predicted_negative": "predicted negative",
    "not_probed": "not changed",
    "fill_moves_output": "no replacement leaves the control as it is",
    "control_decides": "the control alone makes it negative",
}
"""Why it cannot be judged whether a decision needs a lesion."""
GROUPS = ("all", "used", "not_used")
"""Groups of references that have a column, in the order of the table."""


class OnUsed(NamedTuple):
    """One metric of the network's first method, for all annotated images and for parts of them."""

    finding: str
    metric: str
    groups: tuple[str, ...]
    """Of each of `GROUPS`: estimate with interval, and number of images."""
    unjudged: str
    """Number of images that could not be judged, and why."""


class Decisions(NamedTuple):
    """How often a positive decision on a finding stays or turns when the annotated lesion is replaced."""

    stay: int
    judged: int

    @property
    def mostly_stay(self) -> bool:
        """Whether more than half of the decisions stay."""
        return 2 * self.stay > self.judged

    @property
    def text(self) -> str:
        """A sentence: "Without the lesion, 1 of 14 positive decisions turns negative"."""
        turned = self.judged - self.stay
        verb = "turns" if turned == 1 else "turn"
        return (
            f"Without the lesion, {turned:,} of {words.plural(self.judged, 'positive decision')} {verb} "
            "negative"
        )


def decisions(run: RunFolder, finding: str) -> Decisions | None:
    """The decisions of the reader with most judged images, by the first metric; None without any."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in run.table("causal"):
        if (row["finding"], row["method"]) == (finding, run.network):
            counts.setdefault((row["metric"], row["reader"]), {})[row["references"]] = int(row["n"])
    first = next((metric for metric, _ in counts), "")
    found = (
        Decisions(of.get("not_used", 0), of.get("used", 0) + of.get("not_used", 0))
        for (metric, _), of in counts.items()
        if metric == first
    )
    most = max(found, key=lambda one: one.judged, default=None)
    return most if most is not None and most.judged else None


def on_used(run: RunFolder) -> tuple[OnUsed, ...]:
    """One row per finding and metric, for the reader who annotated most images; none without probes."""
    found: dict[tuple[str, str], dict[str, dict[str, Mapping[str, str]]]] = {}
    for row in run.table("causal"):
        if row["method"] == run.network:
            of_metric = found.setdefault((row["finding"], row["metric"]), {})
            of_metric.setdefault(row["reader"], {})[row["references"]] = row
    return tuple(_rows(found))


def _rows(found: Mapping[tuple[str, str], Mapping[str, Mapping[str, Mapping[str, str]]]]) -> Iterator[OnUsed]:
    for (finding, metric), readers in found.items():
        groups = max((readers[name] for name in sorted(readers)), key=_images)
        if _images(groups) and any(_count(groups, name) for name in ("used", "not_used")):
            yield OnUsed(
                finding,
                words.metric_title(metric, {}),
                tuple(_result(groups.get(name), metric) for name in GROUPS),
                _unjudged(groups.get("not_judged")),
            )


def _images(groups: Mapping[str, Mapping[str, str]]) -> int:
    return _count(groups, "all")


def _count(groups: Mapping[str, Mapping[str, str]], name: str) -> int:
    return int(groups[name]["n"]) if name in groups else 0


def _result(row: Mapping[str, str] | None, metric: str) -> str:
    if row is None or not row["estimate"]:
        return "–"
    low, high = number_of(row["low"]), number_of(row["high"])
    return f"{words.with_interval(float(row['estimate']), low, high, metric)} (n = {row['n']})"


def _unjudged(row: Mapping[str, str] | None) -> str:
    if row is None or row["n"] == "0":
        return "–"
    pairs = (part.strip().rpartition("=") for part in row["reasons"].split(";") if part.strip())
    return ", ".join(f"{count} {REASONS.get(reason, words.spaced(reason))}" for reason, _, count in pairs)

"""Policy: the limits that a config sets, held against what a run measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pipeline.names import CLASSIFIER, OVERLAPS, POINTING
from pipeline.records import Summary

Outcome: TypeAlias = Literal["pass", "warn", "fail", "unknown"]
LIMITS: Mapping[str, tuple[tuple[str, ...], Literal["least", "most"]]] = {
    "min_hit_rate": (POINTING, "least"),
    "min_iou": (OVERLAPS, "least"),
    "min_auroc": (("auroc",), "least"),
    "max_on_healthy": (("contour_on_healthy",), "most"),
    "min_skill": (POINTING, "least"),
}
"""Key of the config → the metrics that answer it, the first that a finding has, and which side is allowed."""
OF_SKILL = "min_skill"


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that a limit is held against."""

    finding: str
    reader: str
    metric: str
    n: int
    estimate: float
    low: float | None
    high: float | None


def judged(
    limits: Mapping[str, float | None],
    *,
    findings: Sequence[str],
    method: str,
    summaries: Iterable[Summary],
    skills: Iterable[Mapping[str, Any]],
) -> Iterator[dict[str, object]]:
    """Rows of policy.csv: every limit that is set, for every finding, against the reader with most images."""
    scores = list(_scores(summaries, method))
    of_skill = list(_skills(skills, method))
    for finding in findings:
        for rule, limit in limits.items():
            if limit is None:
                continue
            metrics, side = LIMITS[rule]
            found = _answer(of_skill if rule == OF_SKILL else scores, finding, metrics)
            yield {
                "finding": finding,
                "rule": rule,
                "limit": limit,
                "metric": found.metric if found else "",
                "reader": found.reader if found else "",
                "n": found.n if found else 0,
                "estimate": found.estimate if found else None,
                "low": found.low if found else None,
                "high": found.high if found else None,
                "outcome": outcome(found, limit, side),
            }


def outcome(found: Measured | None, limit: float, side: Literal["least", "most"]) -> Outcome:
    """Failed where the estimate does not keep the limit, a warning where its interval does not."""
    if found is None:
        return "unknown"
    sign = 1 if side == "least" else -1
    if sign * found.estimate < sign * limit:
        return "fail"
    bound = found.low if side == "least" else found.high
    return "pass" if bound is not None and sign * bound >= sign * limit else "warn"


def _answer(known: Sequence[Measured], finding: str, metrics: Sequence[str]) -> Measured | None:
    for metric in metrics:
        rows = [row for row in known if (row.finding, row.metric) == (finding, metric)]
        if rows:
            return max(sorted(rows, key=lambda row: row.reader), key=lambda row: row.n)
    return None


def _scores(summaries: Iterable[Summary], method: str) -> Iterator[Measured]:
    for row in summaries:
        if row.method in {method, CLASSIFIER} and row.estimate is not None:
            yield Measured(row.finding, row.reader, row.metric, row.n, row.estimate, row.low, row.high)


def _skills(rows: Iterable[Mapping[str, Any]], method: str) -> Iterator[Measured]:
    for row in rows:
        if (row["method"], row["measure"]) == (method, "skill") and row["estimate"] is not None:
            keys = ("finding", "reader", "metric", "n", "estimate", "low", "high")
            yield Measured(**{key: row[key] for key in keys})

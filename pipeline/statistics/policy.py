"""Policy: the limits of a config, compared with the results of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pipeline.records import ENOUGH_PATIENTS, Summary, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER, OVERLAPS, POINTING

Outcome: TypeAlias = Literal["pass", "warn", "fail", "unknown"]
LIMITS: Mapping[str, tuple[tuple[str, ...], Literal["least", "most"]]] = {
    "min_hit_rate": (POINTING, "least"),
    "min_iou": (OVERLAPS, "least"),
    "min_auroc": (("auroc",), "least"),
    "max_on_healthy": (("contour_on_healthy",), "most"),
    "min_skill": (POINTING, "least"),
}
"""Config key → its metrics (the first that a finding has is used), and whether the limit is a lower bound."""
SKILL_LIMIT = "min_skill"
OF_CLASSIFIER = frozenset({"auroc"})
"""Metrics that need labels instead of annotations."""
TOO_FEW, NO_LABELS, NO_ANNOTATIONS, NO_SCALE = "too_few", "not_labelled", "not_annotated", "no_scale"
"""Why an outcome is unknown: no interval, of fewer than `ENOUGH_PATIENTS`; no label of the finding; no
annotation; scores, but none of a baseline to measure skill from. Others are reasons of undefined scores."""
SUSPICION = "max_suspicion"
STRENGTHS = ("none", "weak", "strong")
"""Of suspicions, weakest first."""
STRENGTH = "strength"
"""Value of `metric` in rows about suspicions; rows with an estimate need one."""


@dataclass(frozen=True, slots=True)
class LimitedResult:
    """A result that is compared with a limit."""

    finding: str
    reader: str
    metric: str
    n: int
    patients: int
    estimate: float
    low: float | None
    high: float | None


def apply_policy(
    limits: Mapping[str, float | None],
    *,
    findings: Sequence[str],
    method: str,
    summaries: Iterable[Summary],
    skills: Iterable[Mapping[str, Any]],
) -> Iterator[dict[str, object]]:
    """Rows of policy.csv: each limit for each finding, for the reader with the most images."""
    summaries = list(summaries)
    scores = list(_scores(summaries, method))
    skill_scores = list(_skills(skills, method))
    for finding in findings:
        for rule, limit in limits.items():
            if limit is None:
                continue
            metrics, side = LIMITS[rule]
            found = _first_result(skill_scores if rule == SKILL_LIMIT else scores, finding, metrics)
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
                "because": _because(found, finding, metrics, summaries, method=method, rule=rule),
            }


def suspicions_beyond(
    most: Mapping[Suspect, str], suspicions: Iterable[Suspicion], findings: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Rows of policy.csv: each suspect against whom more was found than `most` allows, per finding.

    Strengths are numbers there: 0 none, 1 weak, 2 strong.
    """
    strongest: dict[tuple[str, str], int] = {}
    for one in suspicions:
        for finding in findings if one.finding == ALL_FINDINGS else (one.finding,):
            key = finding, one.suspect
            strongest[key] = max(strongest.get(key, 0), STRENGTHS.index(one.strength))
    for finding in findings:
        for suspect, strength in most.items():
            found, limit = strongest.get((finding, suspect), 0), STRENGTHS.index(strength)
            if found > limit:
                yield {
                    "finding": finding,
                    "rule": f"{SUSPICION}.{suspect}",
                    "limit": float(limit),
                    "metric": STRENGTH,
                    "reader": "",
                    "n": 0,
                    "estimate": float(found),
                    "low": None,
                    "high": None,
                    "outcome": "fail",
                    "because": "",
                }


def outcome(found: LimitedResult | None, limit: float, side: Literal["least", "most"]) -> Outcome:
    """The outcome: "fail" if the estimate breaks the limit, "warn" if only its interval does.

    "unknown" without an estimate, and where a few patients give an estimate, but no interval.
    """
    if found is None or _too_few(found):
        return "unknown"
    sign = 1 if side == "least" else -1
    if sign * found.estimate < sign * limit:
        return "fail"
    bound = found.low if side == "least" else found.high
    return "pass" if bound is not None and sign * bound >= sign * limit else "warn"


def _too_few(found: LimitedResult) -> bool:
    return found.patients < ENOUGH_PATIENTS and (found.low is None or found.high is None)


def _because(
    found: LimitedResult | None,
    finding: str,
    metrics: Sequence[str],
    summaries: Sequence[Summary],
    *,
    method: str,
    rule: str,
) -> str:
    """Why the outcome is unknown; empty if it is known."""
    if found is not None:
        return TOO_FEW if _too_few(found) else ""
    rows = [
        row
        for row in summaries
        if row.finding == finding and row.metric in metrics and row.method in {method, CLASSIFIER}
    ]
    if rule == SKILL_LIMIT and any(row.n for row in rows):
        return NO_SCALE
    reasons = sum((Counter(row.undefined) for row in rows), Counter[str]())
    usual = NO_LABELS if OF_CLASSIFIER & set(metrics) else NO_ANNOTATIONS
    return reasons.most_common(1)[0][0] if reasons else usual


def _first_result(
    known: Sequence[LimitedResult], finding: str, metrics: Sequence[str]
) -> LimitedResult | None:
    """The result for the first metric that the finding has, by the reader with the most images."""
    for metric in metrics:
        rows = [row for row in known if (row.finding, row.metric) == (finding, metric)]
        if rows:
            return max(sorted(rows, key=lambda row: row.reader), key=lambda row: row.n)
    return None


def _scores(summaries: Iterable[Summary], method: str) -> Iterator[LimitedResult]:
    for row in summaries:
        if row.method in {method, CLASSIFIER} and row.estimate is not None:
            yield LimitedResult(
                row.finding, row.reader, row.metric, row.n, row.patients, row.estimate, row.low, row.high
            )


def _skills(rows: Iterable[Mapping[str, Any]], method: str) -> Iterator[LimitedResult]:
    for row in rows:
        if (row["method"], row["measure"]) == (method, "skill") and row["estimate"] is not None:
            keys = ("finding", "reader", "metric", "n", "patients", "estimate", "low", "high")
            yield LimitedResult(**{key: row[key] for key in keys})

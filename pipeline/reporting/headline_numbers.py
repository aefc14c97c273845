"""Headline numbers: the skill of each finding, and the outcome of the config's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.records.names import POINTING
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of
from pipeline.reporting.suspects import TITLES

LIMITS = {
    "min_skill": ("skill", "at least", "skill"),
    "min_hit_rate": ("hit rate", "at least", "hit"),
    "min_iou": ("mean IoU", "at least", "iou"),
    "min_auroc": ("AUROC", "at least", "auroc"),
    "max_on_healthy": ("false positives", "at most", "contour_on_healthy"),
}
"""Key of the config → what it limits, in which direction, and the metric whose format its numbers have."""
CEILINGS = {"readers": "the readers compared with each other", "perfect": "every image right"}
SEVERITY = ("fail", "warn", "unknown", "pass")
SUSPICION = "max_suspicion"
STRENGTHS = ("none", "weak", "strong")
"""Of suspicions, as numbers of policy.csv."""
UNKNOWN = {
    "too_few": "too few patients for an interval",
    "not_labelled": "the labels have no column of “{finding}”; add it, or name it in "
    "annotations.labels.columns",
    "no_scale": "there is no baseline to measure skill from",
    "": "there is no estimate",
}
"""Why a limit has no outcome → its words; other reasons are those of the undefined scores."""


@dataclass(frozen=True, slots=True)
class Skill:
    """Skill in pointing, as text for the verdict."""

    text: str
    """Empty if there is no scale, because the map with skill 0 is as good as the one with skill 1."""
    interval: str
    prior: str
    """Code of the baseline with a skill of 0."""
    zero: str
    """Its title."""
    one: str
    """Description of a skill of 1."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The outcome of one limit of the policy, as text."""

    outcome: str
    text: str


def skill_of(run: RunFolder, finding: str) -> Skill | None:
    """Skill in pointing for the reader with most images; None if it is unknown."""
    rows = [
        row
        for row in run.table("skill")
        if (row["finding"], row["method"], row["measure"]) == (finding, run.network, "skill")
        and row["metric"] in POINTING
        and row["n"] != "0"
    ]
    if not rows:
        return None
    row = max(rows, key=lambda row: (-POINTING.index(row["metric"]), int(row["n"])))
    low, high = number_of(row["low"]), number_of(row["high"])
    return Skill(
        text=words.number(float(row["estimate"]), "skill") if row["estimate"] else "",
        interval="" if low is None or high is None else f"[{_number(low)} to {_number(high)}]",
        prior=row["prior"],
        zero=f"the {words.spaced(run.title_of(row['prior']))}",
        one=CEILINGS.get(row["ceiling"], row["ceiling"]),
    )


def why_unknown(row: Mapping[str, Any]) -> str:
    """Why the outcome of a row of policy.csv is unknown, in words."""
    code = str(row.get("because") or "")
    return UNKNOWN.get(code, words.reason(code)).format(finding=row["finding"])


def limits_of(run: RunFolder, finding: str) -> tuple[Limit, ...]:
    """Outcomes of the policy's limits for a finding, in the order of the config."""
    return tuple(
        Limit(row["outcome"], limit_text(row)) for row in run.table("policy") if row["finding"] == finding
    )


def limits_stated(manifest: Mapping[str, Any]) -> str:
    """The limits of scores that the config sets, as text; that there is none; empty if that is unknown."""
    config = manifest.get("config")
    policy = config.get("policy") if isinstance(config, Mapping) else None
    if not isinstance(policy, Mapping):
        return ""
    stated = {rule: limit for rule in LIMITS if isinstance(limit := policy.get(rule), int | float)}
    if not stated:
        return "none is set, so no score decides whether the run passes"
    return "; ".join(_wanted(rule, limit) for rule, limit in stated.items())


def worst(limits: tuple[Limit, ...]) -> str:
    """The least favourable outcome; empty without limits."""
    return min((limit.outcome for limit in limits), key=SEVERITY.index, default="")


def limit_text(row: Mapping[str, str]) -> str:
    """What a row of policy.csv says: "hit rate at least 50 %: found 24 % [12 to 38]"."""
    rule, _, suspect = row["rule"].partition(".")
    if rule == SUSPICION:
        most, found = (STRENGTHS[int(float(row[key]))] for key in ("limit", "estimate"))
        return f"suspicion against {TITLES[suspect]}: {found}; allowed: {most}"
    form, wanted = LIMITS[row["rule"]][2], _wanted(row["rule"], float(row["limit"]))
    if not row["estimate"]:
        return f"{wanted}: {why_unknown(row)}"
    low, high = number_of(row["low"]), number_of(row["high"])
    because = f"; {why_unknown(row)}" if row["outcome"] == "unknown" else ""
    found = words.with_interval(float(row["estimate"]), low, high, form)
    return f"{wanted}: found {found}{because}"


def _wanted(rule: str, limit: float) -> str:
    name, side, form = LIMITS[rule]
    return f"{name} {side} {words.number(limit, form)}"


def _number(value: float) -> str:
    return words.number(value, "skill")

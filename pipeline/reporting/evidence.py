"""Evidence: the numbers behind a finding's conclusion, as sentences beside it on the first screen."""

from __future__ import annotations

from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting.probes import REASONS
from pipeline.reporting.run_folder import RunFolder, number_of

MOST = 2
"""Most sentences beside a conclusion; `suspects` lists all of them."""
SHORTCUT = "shortcut_"
"""Start of the names of rules about shortcuts."""
OF_REGIONS = {"used", "not_used", "shown", "not_shown"}
"""Conclusions that rest on the output without the annotated region."""
ANSWERS = {"used", "not_used"}


def evidence_of(run: RunFolder, finding: str, conclusion: str) -> tuple[str, ...]:
    """What a conclusion (`records.names.Conclusion`) rests on, or why there is none; empty if unknown."""
    if conclusion in OF_REGIONS:
        return tuple(
            _fall(row["estimate"], row["low"], row["high"], row["n"])
            for row in run.table("probes")
            if row["finding"] == finding and row["measure"] == "log_odds" and row["answer"] in ANSWERS
        )[:1]
    if conclusion == "too_few":
        return tuple(
            f"Whether it needs the annotated region cannot be told: {why}."
            for row in run.table("probes")
            if row["finding"] == finding and row["measure"] == "log_odds"
            if (why := REASONS.get(row.get("because", ""), ""))
        )[:1]
    return tuple(
        row["sentence"]
        for row in run.table("suspects")
        if row["finding"] in {finding, ALL_FINDINGS}
        and row["strength"] == "strong"
        and (row["rule"].startswith(SHORTCUT) if conclusion == "shortcut" else row["suspect"] == conclusion)
    )[:MOST]


def _fall(estimate: str, low: str, high: str, n: str) -> str:
    bounds = [number_of(bound) for bound in (low, high)]
    interval = "" if None in bounds else f" [{' to '.join(map(_signed, bounds))}]"
    return (
        f"Without the annotated region its output falls by {_signed(number_of(estimate))} SD{interval} more "
        f"than without a control region ({n} image{'' if n == '1' else 's'})."
    )


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")

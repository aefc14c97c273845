"""Outcome: what the terminal says at the end of an audit or of the scoring of external maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.terminal import headline_table, policy_line, skipped_counts, verdict_lines
from pipeline.config import Policy
from pipeline.plan import RunPlan
from pipeline.reporting.chance import warnings_of_chance

if TYPE_CHECKING:  # loads pandas
    from pipeline.run.outcome import Outcome

NO_LIMITS = (
    "Policy: no limit of scores is set (policy.min_hit_rate, min_iou, min_auroc, min_skill, max_on_healthy)"
)


def print_outcome(outcome: Outcome, plan: RunPlan, console: Console) -> bool:
    """Print the numbers of a run; returns whether it met its policy."""
    if table := headline_table(outcome.results.summaries, plan.findings):
        console.print(table)
    for line in verdict_lines(outcome.index.parent):
        console.print(line)
    for warning in warnings_of_chance(outcome.results.summaries):
        console.print(f"Warning: {warning}")
    audited = len(outcome.results.audited)
    console.print(f"{audited} of {outcome.images} images audited{skipped_counts(outcome.results.skipped)}")
    for line in policy_lines(outcome, plan.config.policy):
        console.print(line)
    console.print(f"Report: {outcome.index}")
    return outcome.passed


def policy_lines(outcome: Outcome, policy: Policy) -> Iterator[str]:
    """What the run made of its limits, and which limits were set at all."""
    yield from map(policy_line, outcome.results.policy)
    if not policy.has_limits:
        yield NO_LIMITS
    if policy.states_suspicion:
        allowed = ", ".join(f"{suspect} {most}" for suspect, most in sorted(policy.max_suspicion.items()))
        yield f"Policy: most suspicion that is allowed: {allowed} (max_suspicion, with the built-in values)"
    if outcome.missed_share > policy.max_skipped:
        yield (
            f"Policy failed: {outcome.missed_share:.0%} of the images could not be audited; "
            f"policy.max_skipped allows {policy.max_skipped:.0%}."
        )

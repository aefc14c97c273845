"""Outcome: results of a run, and whether it met its policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.cohort.index import NOT_IMAGES
from pipeline.config import Policy
from pipeline.records import Case
from pipeline.run.tables import Results

NOT_MISSED = NOT_IMAGES | {"repeated_sop_instance_uid"}
"""Reasons of skipped files that are not images missing from the audit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results of a run, and whether it met its policy."""

    index: Path
    """The overview page of the report."""
    results: Results
    images: int
    """How many images the run was to score."""
    missed_share: float
    """Share (0 … 1) of the images that should have been audited but were not."""
    passed: bool
    """Whether the policy was met."""


def outcome(index: Path, results: Results, cases: Sequence[Case], policy: Policy) -> Outcome:
    """The outcome: passed if no limit fails and the share of missed images is at most `max_skipped`."""
    missed = missed_share(cases, results)
    meets_limits = all(row["outcome"] != "fail" for row in results.policy)
    return Outcome(index, results, len(cases), missed, passed=meets_limits and missed <= policy.max_skipped)


def missed_share(cases: Sequence[Case], results: Results) -> float:
    """Share of the images that should have been scored but were not; unreadable files count as images."""
    missed = {s.subject for s in results.skipped if s.stage in {"load", "explain", "score"}}
    unread = {s.subject for s in results.skipped if s.stage == "index" and s.reason not in NOT_MISSED}
    return len(missed | unread) / (len(cases) + len(unread))

"""Suspects: the suspicions of all rules and probes as rows of suspects.csv."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, get_args

from pipeline.records import Strength, Suspicion

STRENGTHS: tuple[Strength, ...] = get_args(Strength)


def ordered(suspicions: Iterable[Suspicion], findings: Sequence[str]) -> tuple[Suspicion, ...]:
    """Without repetitions: by finding, those about all findings last; strong ones first, else as given."""
    rank = {finding: number for number, finding in enumerate(findings)}
    return tuple(
        sorted(
            dict.fromkeys(suspicions),
            key=lambda one: (rank.get(one.finding, len(rank)), STRENGTHS.index(one.strength)),
        )
    )


def suspect_rows(suspicions: Iterable[Suspicion]) -> Iterable[dict[str, Any]]:
    """Rows of suspects.csv."""
    return map(asdict, suspicions)

"""Agreement: kappa between reviewers, with intervals over patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.records import Values
from pipeline.records.names import ALL_FINDINGS
from pipeline.review.decisions import ANSWERS, Answer, Decision
from pipeline.review.kappa import PAIR, Answers, cohen_kappa, cohen_table, fleiss_kappa, fleiss_table
from pipeline.review.merging import Reviewed
from pipeline.statistics.bootstrap import Resampling, replicated
from pipeline.statistics.intervals import UNDEFINED, Interval, intervals

AFTER = "_after"
"""End of the names of measures in which the answers of a second look count."""
OPEN = -1
"""Code of a missing answer."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One kappa with its interval."""

    measure: str
    """`cohen_kappa` for two reviewers, `fleiss_kappa` for all; with `_after`, the second look counts."""
    finding: str
    reviewers: tuple[str, ...]
    n: int
    """Number of contours and missed lesions that at least two of the reviewers answered."""
    patients: int
    interval: Interval
    """Undefined if no subject has two answers, or if all answers are the same."""


def agreements(
    reviewed: Sequence[Reviewed],
    reviewers: Sequence[str],
    units: Mapping[str, str],
    resampling: Resampling,
) -> list[Agreement]:
    """Fleiss' kappa of all reviewers and Cohen's kappa of each pair, over all findings and per finding.

    They are of the first answers and, if any reviewer looked a second time, of the last ones as well. `units`
    is case_id → unit that the bootstrap resamples, usually the patient.
    """
    if len(reviewers) < PAIR:
        return []
    first = _agreements(reviewed, reviewers, units, resampling, lambda decision: decision.answer)
    if not any(entry.has_second_look for entry in reviewed):
        return first
    last = _agreements(reviewed, reviewers, units, resampling, lambda decision: decision.last)
    return first + [replace(entry, measure=entry.measure + AFTER) for entry in last]


def _agreements(
    reviewed: Sequence[Reviewed],
    reviewers: Sequence[str],
    units: Mapping[str, str],
    resampling: Resampling,
    answer_of: Callable[[Decision], Answer],
) -> list[Agreement]:
    findings = list(dict.fromkeys(entry.subject.finding for entry in reviewed))
    groups = [(ALL_FINDINGS, reviewed)]
    if len(findings) > 1:
        groups += [(f, [e for e in reviewed if e.subject.finding == f]) for f in findings]
    return [
        agreement
        for finding, entries in groups
        for agreement in _group_agreements(finding, entries, reviewers, units, resampling, answer_of)
    ]


def _group_agreements(
    finding: str,
    entries: Sequence[Reviewed],
    reviewers: Sequence[str],
    units: Mapping[str, str],
    resampling: Resampling,
    answer_of: Callable[[Decision], Answer],
) -> Iterator[Agreement]:
    patients = [units[entry.case_id] for entry in entries]
    given = _answers(entries, reviewers, answer_of)
    table = fleiss_table(given, patients, answers=len(ANSWERS))
    n = int(table[:, 0].sum())
    yield Agreement(
        "fleiss_kappa", finding, tuple(reviewers), n, len(table), _interval(fleiss_kappa, table, resampling)
    )
    for one, other in combinations(range(len(reviewers)), 2):
        table = cohen_table(given[:, [one, other]], patients, answers=len(ANSWERS))
        yield Agreement(
            "cohen_kappa",
            finding,
            (reviewers[one], reviewers[other]),
            int(table.sum()),
            len(table),
            _interval(cohen_kappa, table, resampling),
        )


def _answers(
    entries: Sequence[Reviewed], reviewers: Sequence[str], answer_of: Callable[[Decision], Answer]
) -> Answers:
    return np.array(
        [
            [
                ANSWERS.index(answer_of(e.by_reviewer[name])) if name in e.by_reviewer else OPEN
                for name in reviewers
            ]
            for e in entries
        ],
        dtype=np.intp,
    ).reshape(len(entries), len(reviewers))


def _interval(kappa: Callable[[Values], Values], table: Values, resampling: Resampling) -> Interval:
    if not len(table):
        return UNDEFINED
    found = replicated(lambda weights: kappa(weights @ table)[:, None], len(table), resampling)
    return intervals(found, resampling)[0]

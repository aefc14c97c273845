"""Agreement: how far reviewers give the same answers, beyond chance, with intervals over patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.metrics.bootstrap import Resampling, Values, replicated
from pipeline.metrics.intervals import UNDEFINED, Interval, intervals
from pipeline.names import ALL_FINDINGS
from pipeline.review.decisions import ANSWERS
from pipeline.review.kappa import PAIR, Answers, cohen_kappa, cohen_table, fleiss_kappa, fleiss_table
from pipeline.review.merging import Reviewed

OPEN = -1


@dataclass(frozen=True, slots=True)
class Agreement:
    """One kappa."""

    measure: str
    """`cohen_kappa` of two reviewers, `fleiss_kappa` of all."""
    finding: str
    reviewers: tuple[str, ...]
    n: int
    """Contours and missed lesions that at least two of them decided on."""
    patients: int
    interval: Interval
    """Undefined where nothing was decided twice, or where everybody always said the same."""


def agreements(
    reviewed: Sequence[Reviewed],
    reviewers: Sequence[str],
    units: Mapping[str, str],
    resampling: Resampling,
) -> list[Agreement]:
    """Fleiss' kappa of all and Cohen's of each pair: over all findings, and of each of several.

    `units` is case_id → what is drawn for intervals, the patient as a rule.
    """
    if len(reviewers) < PAIR:
        return []
    findings = list(dict.fromkeys(entry.subject.finding for entry in reviewed))
    groups = [(ALL_FINDINGS, reviewed)]
    if len(findings) > 1:
        groups += [(f, [e for e in reviewed if e.subject.finding == f]) for f in findings]
    return [
        agreement
        for finding, entries in groups
        for agreement in _of_group(finding, entries, reviewers, units, resampling)
    ]


def _of_group(
    finding: str,
    entries: Sequence[Reviewed],
    reviewers: Sequence[str],
    units: Mapping[str, str],
    resampling: Resampling,
) -> Iterator[Agreement]:
    patients = [units[entry.case_id] for entry in entries]
    given = _answers(entries, reviewers)
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


def _answers(entries: Sequence[Reviewed], reviewers: Sequence[str]) -> Answers:
    return np.array(
        [
            [
                ANSWERS.index(e.by_reviewer[name].answer) if name in e.by_reviewer else OPEN
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

"""Judging: where a comparison with baselines cannot be read as a verdict on the network, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.records import Summary
from pipeline.records.names import CLASSIFIER, Limit, Question, Standing

CHANCE, LOW_AUROC, TURNED_AUROC = 0.5, 0.6, 0.4
"""AUROC of a coin; below LOW_AUROC maps are about nothing; below TURNED_AUROC they show the opposite."""
SAME_PLACE = 0.9
"""Hit rate of a fixed map from which on the finding is always at the same place."""
SELDOM = 0.5
"""Hit rate below which, by its whole interval, a network points elsewhere than at that place."""
FIXED = ("location_prior", "center_prior")
"""Baselines that are the same map on every image."""


class Judgement(NamedTuple):
    """The standing that may be told, and what limits it."""

    standing: Standing
    because: Limit = ""


def limited(
    standing: Standing, question: Question, network: Summary, same: Iterable[Summary], auroc: Summary | None
) -> Judgement:
    """What may be told of a question; `same` are the rows of its metric and reader.

    Maps of an output that tells nothing are about nothing, and nobody who hits what a fixed map hits always
    is shown to look.
    """
    why = limit_of_auroc(auroc)
    if why in {"auroc_low", "auroc_turned"}:
        return Judgement("unknown", why)
    if why and standing == "better":
        return Judgement("unknown", why)
    if question == "pointing" and standing in {"worse", "no_better"} and is_always_at_one_place(same):
        elsewhere = network.high is not None and network.high < SELDOM
        return Judgement(standing if elsewhere else "no_better", "same_place")
    return Judgement(standing)


def auroc_of(finding: str, summaries: Iterable[Summary]) -> Summary | None:
    """The AUROC of a finding; None without labels of both kinds, or without probabilities."""
    rows = (
        row for row in summaries if (row.finding, row.method, row.metric) == (finding, CLASSIFIER, "auroc")
    )
    return next((row for row in rows if row.estimate is not None), None)


def is_always_at_one_place(same: Iterable[Summary]) -> bool:
    """Whether a fixed map hits nearly always, among rows of one pointing metric and reader."""
    return any(row.method in FIXED and (row.estimate or 0) >= SAME_PLACE for row in same)


def verdict_of(answers: Sequence[tuple[Question, Standing]], order: Sequence[Standing]) -> Standing:
    """The least favourable standing, in which contours alone do not accuse a network that was seen to point.

    Contours depend on a threshold; where they fit worse than a fixed mask, pointing may be right.
    """
    judged = [
        "no_better" if question == "contours" and standing == "worse" and len(answers) > 1 else standing
        for question, standing in answers
    ]
    return min(judged, key=order.index, default="unknown")


def limit_of_auroc(row: Summary | None) -> Limit:
    """Why the maps of an output with this AUROC cannot be judged; empty if they can."""
    if row is None or row.estimate is None:
        return ""
    high = row.estimate if row.high is None else row.high
    if row.estimate < TURNED_AUROC and high < CHANCE:
        return "auroc_turned"
    if row.estimate < LOW_AUROC:
        return "auroc_low"
    return "" if is_above_chance(row) else "auroc_uncertain"


def is_above_chance(row: Summary) -> bool:
    """Whether the whole interval is above chance."""
    return row.low is not None and row.low > CHANCE

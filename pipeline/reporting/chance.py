"""Chance: findings that the network does not tell from their absence, so that its maps are about nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.records import Summary
from pipeline.records.names import CLASSIFIER

CHANCE = 0.5
"""AUROC of a coin."""
NO_BETTER = (
    "The network is not shown to tell images with {finding} from images without it: its AUROC is {numbers}, "
    "and 0.5 is chance. Do not read its maps of {finding} as evidence before the AUROC is above 0.5; check "
    "labels, preprocessing and weights, or audit more images."
)
WORSE = (
    "The network takes images without {finding} for images with it: its AUROC is {numbers}, which is below "
    "0.5, chance. Its maps of {finding} show what speaks against it; check the order of the findings, "
    "and the labels."
)


def warnings_of_chance(summaries: Iterable[Summary]) -> Iterator[str]:
    """A sentence for each finding whose AUROC is not above chance by its whole interval."""
    for row in summaries:
        if (row.method, row.metric) != (CLASSIFIER, "auroc") or row.estimate is None:
            continue
        low = row.estimate if row.low is None else row.low
        high = row.estimate if row.high is None else row.high
        if low <= CHANCE:
            sentence = WORSE if high < CHANCE else NO_BETTER
            yield sentence.format(finding=row.finding, numbers=auroc_numbers(row))


def auroc_numbers(row: Summary) -> str:
    """The estimate, its interval if there is one, and the number of images."""
    interval = "" if row.low is None or row.high is None else f" [{row.low:.2f} to {row.high:.2f}]"
    return f"{row.estimate:.2f}{interval} ({row.n:,} images)"

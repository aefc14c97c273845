"""Chosen pages: the images that get a page where not every image does, and what each stands for."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal, TypeAlias

from pipeline.reporting.outcomes import OUTCOMES
from pipeline.reporting.overview import shown_cases
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Row, Survey
from pipeline.reporting.worklist import badness

ChosenAs: TypeAlias = Literal["worst", "best", "overview", "disputed", "warned", "random", "all"]
EXTREMES = 10
"""Number of the worst, and of the best, images of each finding."""
OF_EACH_WARNING = 100
"""Most images of one kind of warning, which may be of every image."""
RANDOM = 200
"""Size of the random sample."""


@dataclass(frozen=True, slots=True)
class ChosenPage:
    """An image that gets a page, and the first reason for it."""

    case_id: str
    chosen_as: ChosenAs
    finding: str = ""
    """Empty if it was not chosen for one finding."""
    message: str = ""
    """Why its page could not be drawn; empty if it was."""


def choose_pages(run: RunFolder, survey: Survey, *, count: int | None, seed: int) -> list[ChosenPage]:
    """The images that get a page, the most telling first.

    Those that the overview shows; the worst and the best of each finding in turn; those that readers dispute;
    up to `OF_EACH_WARNING` of each kind of warning; a random sample. With `count`, the first so many, and
    more random ones if they are fewer.
    """
    by_chance = _shuffled(run.case_ids, seed)
    sample = (ChosenPage(case_id, "random") for case_id in by_chance)
    on_overview = (ChosenPage(case_id, "overview") for case_id in shown_cases(run, survey))
    telling = chain(on_overview, _extremes(run, survey), _disputed(survey), _warned(survey, by_chance))
    found: dict[str, ChosenPage] = {}
    for page in telling:
        found.setdefault(page.case_id, page)
    if count is None:
        sample = (page for page, _ in zip(sample, range(RANDOM), strict=False))
    for page in sample:
        found.setdefault(page.case_id, page)
    return list(found.values())[:count]


def _extremes(run: RunFolder, survey: Survey) -> Iterator[ChosenPage]:
    """The worst and the best image of each finding, then the second of each, and so on."""
    turns: list[Iterator[ChosenPage]] = []
    for finding in run.findings:
        order = sorted((row for row in survey.rows if row.finding == finding), key=badness)
        worst = [row for row in order if not OUTCOMES[row.outcome].is_quiet][:EXTREMES]
        best = [row for row in order[::-1] if OUTCOMES[row.outcome].is_scored][:EXTREMES]
        turns += [_pages(worst, "worst"), _pages(best, "best")]
    for turn in zip_longest(*turns):
        yield from filter(None, turn)


def _pages(rows: Iterable[Row], chosen_as: ChosenAs) -> Iterator[ChosenPage]:
    return (ChosenPage(row.case_id, chosen_as, row.finding) for row in rows)


def _disputed(survey: Survey) -> Iterator[ChosenPage]:
    return (ChosenPage(case_id, "disputed", finding) for case_id, finding in survey.disputed)


def _warned(survey: Survey, by_chance: Sequence[str]) -> Iterator[ChosenPage]:
    reasons: dict[str, list[str]] = {}
    for case_id, reason, _ in survey.cautions:
        reasons.setdefault(case_id, []).append(reason)
    counts: Counter[str] = Counter()
    for case_id in by_chance:
        few = [reason for reason in reasons.get(case_id, ()) if counts[reason] < OF_EACH_WARNING]
        if few:
            counts.update(few)
            yield ChosenPage(case_id, "warned")


def _shuffled(case_ids: Sequence[str], seed: int) -> list[str]:
    """The images in an order that depends on the seed and their pseudonyms alone."""
    return sorted(case_ids, key=lambda case_id: hashlib.sha256(f"{seed} {case_id}".encode()).digest())

"""Alike parts: images that look like images of another part of the study set, such as the tuning images.

`leakage` refuses parts that share a patient or identical pixels. A copy under another Patient ID that was
scaled, compressed or brightened shares neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.cohort.index import Cohort
from pipeline.cohort.leakage import LOOK_CACHE, Split, looks
from pipeline.cohort.near_duplicates import near_duplicate_groups, read_look
from pipeline.cohort.selection import select_cases
from pipeline.config import OtherImages
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.plan import RunPlan
from pipeline.records import Case, Notice

ABOUT = "alike_parts"
"""`about` of the notices, and the rule in suspects.csv."""
CHECK = "alike_apart"
"""The check of annotations whose level says whether looks mean anything in this study set."""
MOST_COMPARED = 2_000
"""Most images of a part whose looks are compared, because each is decoded: a minute on two cores."""
MOST_LISTED = 5
"""Most pairs that a notice names."""
TUNED = "tuning.where"
UNKNOWN = (
    "Whether images look like those that the thresholds were tuned on cannot be told, because {why}; they "
    "were compared by patient and identical pixels alone."
)
ABSENT = "the config does not say which images of the study folder these are"
NOT_CHOSEN = (
    "tuning.where chooses none in the study folder, or the table of select names images that fit several "
    "files or contradicts itself"
)


class _Alike(NamedTuple):
    """Pairs of look-alike images of two parts, and how many images were compared."""

    pairs: Sequence[tuple[Case, Case]]
    """One per image of the first part that looks like any of the second."""
    compared: tuple[int, int]


def alike_parts(
    plan: RunPlan, cohort: Cohort, *, executor: Executor, audited: Sequence[Case] | None = None
) -> Iterator[Notice]:
    """What is known of look-alike images in `audited` (None: the chosen images) and the config's other parts.

    Nothing if the config compares no pixels, or says that looks mean nothing in its study set.
    """
    config = plan.config
    if not config.splits.compare_pixels or config.validation.levels.get(CHECK) in {"note", "off"}:
        return
    scored = Split("select.where", cohort.chosen if audited is None else audited)
    others = list(_other_parts(plan, cohort, executor))
    for other in others:
        yield from alike_notices(scored, other, executor=executor, cache=config.out / LOOK_CACHE)
    if config.tuned is not None and TUNED not in {other.key for other in others}:
        is_stated = config.tuning is not None and config.select is not None
        why = NOT_CHOSEN if is_stated else ABSENT
        yield Notice("guess", ABOUT, UNKNOWN.format(why=why))


def alike_notices(first: Split, second: Split, *, executor: Executor, cache: Path) -> Iterator[Notice]:
    """A warning that lists look-alike images of two parts, and what was not compared."""
    known = {case.case_id for case in first.cases}
    others = [case for case in second.cases if case.case_id not in known]
    found = _alike(first.cases, others, executor, cache)
    some = ""
    if found.compared != (len(first.cases), len(others)):
        some = (
            f"Of {first.key}, {found.compared[0]:,} of {len(first.cases):,} images could be compared by "
            f"looks, of {second.key} {found.compared[1]:,} of {len(others):,}."
        )
    if found.pairs:
        yield _warning(first, second, found.pairs, some)
    elif some:
        yield Notice("guess", ABOUT, f"{some} None look alike.")


def _other_parts(plan: RunPlan, cohort: Cohort, executor: Executor) -> Iterator[Split]:
    """The parts that the config's `where` keys choose beside `select`, if the study folder has them."""
    config = plan.config
    if config.select is None:
        return
    chosen = {
        f"baselines.{name}.where": choice.where
        for name in plan.baselines
        if isinstance(choice := config.baselines.get(name), OtherImages)
    }
    if config.tuning is not None:
        chosen[TUNED] = config.tuning.where
    for key, where in chosen.items():
        try:
            cases = select_cases(
                cohort.cases,
                plan.table(config.select),
                image=config.select.image,
                where=where,
                join=config.annotations.join or "auto",
                executor=executor,
            )
        except ConfigError:  # the config of a tuning, with another table
            continue
        yield Split(key, cases)


def _alike(first: Sequence[Case], second: Sequence[Case], executor: Executor, cache: Path) -> _Alike:
    parts = [_spread(part) for part in (first, second)]
    seen = looks([*parts[0], *parts[1]], executor, cache=cache)
    of = [[case for case in part if case.case_id in seen] for part in parts]
    cases, border = [*of[0], *of[1]], len(of[0])
    pairs = []
    for group in near_duplicate_groups([read_look(seen[case.case_id]) for case in cases]):
        other = next((cases[index] for index in group if index >= border), None)
        pairs += [(cases[index], other) for index in group if index < border and other is not None]
    return _Alike(pairs, (len(of[0]), len(of[1])))


def _spread(cases: Sequence[Case]) -> list[Case]:
    """At most `MOST_COMPARED` cases, spread evenly."""
    count = min(len(cases), MOST_COMPARED)
    return [cases[number * len(cases) // count] for number in range(count)]


def _warning(first: Split, second: Split, pairs: Sequence[tuple[Case, Case]], some: str) -> Notice:
    names = tuple(case.source.relative_path for pair in pairs[:MOST_LISTED] for case in pair)
    listed = "; ".join(f"{{{2 * n}}} and {{{2 * n + 1}}}" for n in range(len(names) // 2))
    more = f"; and {len(pairs) - MOST_LISTED:,} more" if len(pairs) > MOST_LISTED else ""
    is_one = len(pairs) == 1
    return Notice(
        "warning",
        ABOUT,
        f"{len(pairs):,} of {len(first.cases):,} images of {first.key} look{'s' if is_one else ''} like an "
        f"image of {second.key}: {listed}{more}. They may be copies, or one patient under several IDs; then "
        f"what was learnt from {second.key} is tested on the same images. Remove them from one of the two."
        f"{' ' if some else ''}{some}",
        names,
    )

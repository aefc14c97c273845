"""Check: one way in which annotations can be wrong, as a plug-in over the facts of a study set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.validation.facts import Drawn, ImageFacts, StudySet

Level: TypeAlias = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""error: two things contradict each other, or something is lost: certain. warning: a rule of thumb says that
something is probably wrong. note: worth knowing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found."""

    message: str
    """A plain sentence with numbers, and without any identifier."""
    subjects: tuple[str, ...] = ()
    """Pseudonyms of the images (or of an annotation without image); none: it is about the whole set."""
    finding: str = ""
    reader: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What was found, by which check, and how bad it is."""

    check: str
    level: Level
    found: Found


@dataclass(frozen=True, slots=True)
class Check:
    """A check and everything its reader must know about it."""

    title: str
    level: Level
    looks_for: str
    """With its rule and thresholds."""
    remedy: str
    of: str
    """What `count` counts, in the plural."""
    count: Callable[[StudySet], int]
    """How many things the check can look at; 0: there is nothing in the set that it could find."""
    find: Callable[[StudySet], Iterable[Found]]


def images(study: StudySet) -> int:
    """How many images there are."""
    return len(study.images)


def words(study: StudySet) -> int:
    """How many annotations were read or refused: one is one reader's word on one finding of one image."""
    return sum(len(image.drawn) + len(image.refused) for image in study.images) + len(study.refused)


def masks(study: StudySet) -> int:
    """How many masks there are that show something."""
    return sum(1 for _ in drawn(study, "mask"))


def drawn(study: StudySet, kind: Literal["mask", "box"] | None = None) -> Iterator[tuple[ImageFacts, Drawn]]:
    """Everything that shows something, with its image."""
    for image in study.images:
        for entry in image.drawn:
            if entry.area_px and kind in {None, entry.kind}:
                yield image, entry


def about(image: ImageFacts, entry: Drawn, message: str) -> Found:
    """What was found of one annotation."""
    return Found(message, (image.case_id,), entry.finding, entry.reader)


def percent(share: float) -> str:
    """A share as text: "12 %"; small ones keep their decimals, "0.05 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 1 else f"{value:g} %"

"""Check: a plug-in that finds one kind of problem in the facts of a study set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.records import Kind, scored_as
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet

Level: TypeAlias = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""error: data certainly contradict each other or are lost. warning: data are probably wrong, by a rule of
thumb. note: worth knowing, not necessarily wrong."""


HALF, TENTH = 0.5, 0.1
"""Shares from which on problems are no slips. A tenth: what is not reported is probably wrong, too."""


@dataclass(frozen=True, slots=True)
class Found:
    """One problem as its check describes it."""

    message: str
    """A plain sentence with numbers and without identifiers."""
    subjects: tuple[str, ...] = ()
    """Pseudonyms of the images, or of an annotation without image; empty: the whole study set."""
    finding: str = ""
    reader: str = ""
    items: int = 1
    """Number of things, of those that the check counts, that the problem concerns."""
    file: str = ""
    """Path of the annotation's file, which pages and tables never show; empty if it has none of its own."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with the name of its check and its level."""

    check: str
    level: Level
    found: Found


@dataclass(frozen=True, slots=True)
class Check:
    """A check with the texts that the page shows about it."""

    title: str
    level: Level
    looks_for: str
    """What the check looks for, with its rule and thresholds; continues the sentence "Looked for: …"."""
    remedy: str
    of: str
    """Plural noun for what `count` counts, such as "masks"."""
    count: Callable[[StudySet], int]
    """Number of things that the check examines; 0: it cannot find anything in this study set."""
    find: Callable[[StudySet], Iterable[Found]]
    reads: Literal["annotations", "pixels"] = "annotations"
    """Whether the check needs the images' pixels. The others are made before the first image of a run."""
    stops_at: float = HALF
    """Share (0 … 1) of what `count` counts from which on errors stop a run, see `is_systematic`; 0: a single
    one does; 1: all of them."""


def is_systematic(items: int, of: int, share: float) -> bool:
    """Whether problems are so many that they are no slips: at least `share` of all, and two, or all."""
    return items >= share * of and (items > 1 or items == of or not share)


def image_count(study: StudySet) -> int:
    """Number of images."""
    return len(study.images)


def annotation_count(study: StudySet) -> int:
    """Number of annotations, read or refused; one per reader, finding and image."""
    return sum(len(image.references) + len(image.refused) for image in study.images) + len(study.refused)


def all_annotation_count(study: StudySet) -> int:
    """The same with those of images that are not examined."""
    return annotation_count(study) + study.elsewhere


def mask_count(study: StudySet) -> int:
    """Number of masks that are not empty."""
    return sum(1 for _ in measured_references(study, "mask"))


def measured_references(
    study: StudySet, kind: Kind | None = None
) -> Iterator[tuple[ImageFacts, MeasuredReference]]:
    """Each annotation that is not empty, with its image."""
    for image in study.images:
        for entry in image.references:
            if entry.area_px and kind in {None, scored_as(entry.kind)}:
                yield image, entry


def found_in(image: ImageFacts, entry: MeasuredReference, message: str) -> Found:
    """A problem of one annotation."""
    return Found(message, (image.case_id,), entry.finding, entry.reader)


def percent(share: float) -> str:
    """A share (0 … 1) as text: "12 %"; below 1 % with its decimals, "0.05 %"."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 1 else f"{value:g} %"

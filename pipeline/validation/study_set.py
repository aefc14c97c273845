"""Study set: measure all images and annotations for the checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.cohort.index import NOT_IMAGES, Cohort, digest
from pipeline.contracts import Executor
from pipeline.ground_truth.matching import Truth
from pipeline.records import AnnotationItem, Case, Notice, Progress
from pipeline.run.notices import counted
from pipeline.validation.case import ValidationTask, inspect_case, inspection_failed
from pipeline.validation.facts import ImageFacts, Refused, StudySet, Vocabulary
from pipeline.validation.plan import ValidationPlan


@dataclass(frozen=True, slots=True)
class InspectedStudySet:
    """A measured study set with the tasks that it was measured from."""

    study: StudySet
    tasks: Mapping[str, ValidationTask]
    """Case id → task."""
    notices: tuple[Notice, ...]
    """What reading the annotations had to decide, with counts."""


def validation_id(plan: ValidationPlan, cases: Sequence[Case], truth: Truth) -> str:
    """The run id: "validation-" and a hash of everything that the result depends on."""
    facts = [__version__, settings_of(plan), digest(cases), truth.sha256]
    return f"validation-{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]}"


def inspect_study_set(
    cohort: Cohort,
    truth: Truth,
    vocabulary: Vocabulary,
    *,
    executor: Executor,
    progress: Callable[[Progress], None],
) -> InspectedStudySet:
    """All images with their annotations, measured one by one; only numbers and hashes are kept."""
    tasks = tasks_of(cohort.cases, truth)
    images: list[ImageFacts] = []
    skipped = [entry for entry in cohort.skipped if entry.reason not in NOT_IMAGES]
    decided: list[Notice] = []
    for facts, problem, notices in executor.stream(inspect_case, tasks, on_failure=inspection_failed):
        images.append(facts)
        decided += notices
        skipped += [problem] if problem else []
        progress(Progress(len(images), len(tasks), len(skipped)))
    study = StudySet(
        tuple(images), vocabulary, tuple(refused_annotations(truth)), tuple(skipped), truth.unread
    )
    return InspectedStudySet(
        study,
        {entry.case.case_id: entry for entry in tasks},
        tuple(counted(decided, sum(len(entry.items) for entry in tasks))),
    )


def tasks_of(cases: Sequence[Case], truth: Truth) -> list[ValidationTask]:
    """Each image with its annotations, without repetitions, and its labels."""
    return [
        ValidationTask(case, _unique(truth.items.get(case.case_id, ())), truth.labels[case.case_id])
        for case in cases
    ]


def _unique(items: Sequence[AnnotationItem]) -> tuple[AnnotationItem, ...]:
    """The items without repetitions; an item whose findings are all labelled absent loses its finding."""
    found: dict[object, AnnotationItem] = {}
    for item in items:
        if item.absent:
            found.setdefault(id(item.payload), replace(item, finding=""))
        else:
            found[item.finding, id(item.payload), item.reader] = item
    return tuple(found.values())


def refused_annotations(truth: Truth, *, besides: frozenset[str] = frozenset()) -> Iterator[Refused]:
    """Annotations without image or finding, and labels that match several images; not of images `besides`."""
    for item, skipped in truth.unjoined:
        if skipped.subject not in besides:
            yield Refused(skipped.subject, item.finding or "", item.reader, skipped.reason, skipped.message)
    of_items = {id(skipped) for _, skipped in truth.unjoined}
    for skipped in truth.skipped:
        if id(skipped) not in of_items and skipped.subject not in besides:
            yield Refused(skipped.subject, "", "", skipped.reason, skipped.message)


def settings_of(plan: ValidationPlan) -> dict[str, Any]:
    """The settings that the result depends on, without folders, whose names may identify people."""
    settings = plan.config.model_dump(mode="json", include={"title", "annotations", "validation"})
    del settings["annotations"]["path"]
    if settings["annotations"]["labels"]:
        settings["annotations"]["labels"]["file"] = Path(settings["annotations"]["labels"]["file"]).name
    return settings | {"card": list(plan.card.findings) if plan.card else None}

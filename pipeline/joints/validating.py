"""Validating: a study set and its annotations → what the checks know of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.contracts import Executor
from pipeline.joints.intake import NOT_IMAGES, Case, Intake, digest
from pipeline.joints.looking import Asked, look_at, lost_sight
from pipeline.joints.plan import ValidationPlan
from pipeline.joints.truth import Truth
from pipeline.records import AnnotationItem, Progress
from pipeline.validation.facts import ImageFacts, Refused, StudySet, Vocabulary


@dataclass(frozen=True, slots=True)
class Gathered:
    """A study set as it was looked at."""

    study: StudySet
    asked: Mapping[str, Asked]
    """By case id."""


def validation_id(plan: ValidationPlan, cases: Sequence[Case], truth: Truth) -> str:
    """A name with a hash of everything that the result depends on."""
    facts = [__version__, settings_of(plan), digest(cases), truth.sha256]
    return f"validation-{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]}"


def look_through(
    intake: Intake,
    truth: Truth,
    vocabulary: Vocabulary,
    *,
    executor: Executor,
    progress: Callable[[Progress], None],
) -> Gathered:
    """Every image with its annotations, measured one by one; only numbers and hashes are kept."""
    asked = [
        Asked(case, _once(truth.items.get(case.case_id, ())), truth.labels[case.case_id])
        for case in intake.cases
    ]
    images: list[ImageFacts] = []
    skipped = [entry for entry in intake.skipped if entry.reason not in NOT_IMAGES]
    for facts, problem in executor.stream(look_at, asked, lost=lost_sight):
        images.append(facts)
        skipped += [problem] if problem else []
        progress(Progress(len(images), len(asked), len(skipped)))
    study = StudySet(tuple(images), vocabulary, tuple(_refused(truth)), tuple(skipped))
    return Gathered(study, {entry.case.case_id: entry for entry in asked})


def _once(items: Sequence[AnnotationItem]) -> tuple[AnnotationItem, ...]:
    """The items, those that the labels leave to no finding once and without one."""
    found: dict[object, AnnotationItem] = {}
    for item in items:
        if item.absent:
            found.setdefault(id(item.payload), replace(item, finding=""))
        else:
            found[item.finding, id(item.payload), item.reader] = item
    return tuple(found.values())


def _refused(truth: Truth) -> Iterator[Refused]:
    """Annotations without image or finding, and labels that may be of several images."""
    for item, why in truth.unjoined:
        yield Refused(why.subject, item.finding or "", item.reader, why.reason, why.message)
    of_items = {id(why) for _, why in truth.unjoined}
    for why in truth.skipped:
        if id(why) not in of_items:
            yield Refused(why.subject, "", "", why.reason, why.message)


def settings_of(plan: ValidationPlan) -> dict[str, Any]:
    """What of the config the result depends on, without places, which may name people."""
    settings = plan.config.model_dump(mode="json", include={"title", "annotations", "validation"})
    del settings["annotations"]["path"]
    if settings["annotations"]["labels"]:
        settings["annotations"]["labels"]["file"] = Path(settings["annotations"]["labels"]["file"]).name
    return settings | {"card": list(plan.card.findings) if plan.card else None}

"""Case: measure one image and its annotations in a worker, for the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from pipeline.annotations import kind_of, read_annotation
from pipeline.errors import CaseError
from pipeline.loaders import decode
from pipeline.records import AnnotationItem, Box, Case, Image, Notice, Reference, Skipped, joined, scored_as
from pipeline.validation.facts import ImageFacts, Refused
from pipeline.validation.measuring import measure_image


@dataclass(frozen=True, slots=True)
class ValidationTask:
    """One image with its annotations and labels."""

    case: Case
    items: tuple[AnnotationItem, ...]
    labels: Mapping[str, int | None]
    """Finding → 1 present, 0 absent, None unknown."""


Inspected: TypeAlias = tuple[ImageFacts, Skipped | None, tuple[Notice, ...]]
"""Facts of one image, why it was not decoded (None if it was), and what reading its annotations decided."""


def inspect_case(task: ValidationTask) -> Inspected:
    """One image with its annotations."""
    case, skipped, image = task.case, None, None
    try:
        image = decode(case.source, case_id=case.case_id)
    except CaseError as error:
        skipped = Skipped(case.case_id, "load", error.reason, error.message)
    references, refused = read_task(task)
    return _measure(task, references, refused, image), skipped, _decided(references)


def inspection_failed(task: ValidationTask, error: CaseError) -> Inspected:
    """An image whose worker failed."""
    return _measure(task), Skipped(task.case.case_id, "load", error.reason, error.message), ()


def inspect_annotations(task: ValidationTask) -> tuple[ImageFacts, tuple[Notice, ...]]:
    """Facts of the annotations of an image that is not decoded, and what reading them had to decide."""
    references, refused = read_task(task)
    return _measure(task, references, refused), _decided(references)


def _decided(references: Sequence[Reference]) -> tuple[Notice, ...]:
    return tuple(notice for reference in references for notice in reference.notices)


def inspection_failed_before(
    task: ValidationTask, _error: CaseError
) -> tuple[ImageFacts, tuple[Notice, ...]]:
    """Facts for an image whose worker failed on its annotations; the run skips it with the reason."""
    return _measure(task), ()


def _measure(
    task: ValidationTask,
    references: Sequence[Reference] = (),
    refused: Sequence[Refused] = (),
    image: Image | None = None,
) -> ImageFacts:
    case = task.case
    return measure_image(
        case_id=case.case_id,
        patient_id=case.patient_id,
        shape=case.source.shape,
        labels=task.labels,
        image=image,
        references=references,
        refused=refused,
    )


def read_task(task: ValidationTask) -> tuple[list[Reference], list[Refused]]:
    """One reference per reader, finding and kind of annotation, and the annotations that were refused."""
    case_id, shape = task.case.case_id, task.case.source.shape
    found: dict[tuple[str, str, str], Reference] = {}
    refused = []
    for item in task.items:
        finding = item.finding or ""
        try:
            reference = read_annotation(item, case_id=case_id, finding=finding, shape=shape)
        except CaseError as error:
            boxes = cast("tuple[Box, ...]", item.payload.get("boxes", ()))
            file = str(item.payload.get("path", ""))
            refused.append(Refused(case_id, finding, item.reader, error.reason, error.message, boxes, file))
            continue
        key = finding, item.reader, scored_as(kind_of(item))
        found[key] = joined(found[key], reference) if key in found else reference
    return list(found.values()), refused

"""Facts: hand-made facts of images and annotations for the checks, without files."""

from __future__ import annotations

from typing import Any

from pipeline.validation.checks.check import Check, Found
from pipeline.validation.facts import ImageFacts, MeasuredReference, StudySet, Vocabulary

SHAPE = (100, 200)


def drawn(
    finding: str = "nodule", reader: str = "anna", *, area: int = 100, **facts: Any
) -> MeasuredReference:
    return MeasuredReference(finding, reader, facts.pop("kind", "mask"), area, **facts)


def image(name: str, *entries: MeasuredReference, **facts: Any) -> ImageFacts:
    """Facts of an image whose patient has the same name; `facts` are further fields."""
    given: dict[str, Any] = {"patient_id": name, "shape": SHAPE, "labels": {}, "picture": None, **facts}
    return ImageFacts(case_id=name, references=tuple(entries), **given)


def study(*images: ImageFacts, **facts: Any) -> StudySet:
    return StudySet(images, facts.pop("vocabulary", Vocabulary((), (), {})), **facts)


def found(check: Check, *images: ImageFacts, **facts: Any) -> list[Found]:
    """Problems that a check finds in a study set of these images."""
    return list(check.find(study(*images, **facts)))


def names(problems: list[Found]) -> list[tuple[str, ...]]:
    return [problem.subjects for problem in problems]

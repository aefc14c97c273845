"""Facts: images and annotations as the checks see them, without files."""

from __future__ import annotations

from typing import Any

from pipeline.validation.check import Check, Found
from pipeline.validation.facts import Drawn, ImageFacts, StudySet, Vocabulary

SHAPE = (100, 200)


def drawn(finding: str = "nodule", reader: str = "anna", *, area: int = 100, **facts: Any) -> Drawn:
    return Drawn(finding, reader, facts.pop("kind", "mask"), area, **facts)


def image(name: str, *entries: Drawn, **facts: Any) -> ImageFacts:
    """An image of the patient of the same name; facts by their names, `labels` as findings."""
    given: dict[str, Any] = {"patient_id": name, "shape": SHAPE, "labels": {}, "picture": None, **facts}
    return ImageFacts(case_id=name, drawn=tuple(entries), **given)


def study(*images: ImageFacts, **facts: Any) -> StudySet:
    return StudySet(images, facts.pop("vocabulary", Vocabulary((), (), {})), **facts)


def found(check: Check, *images: ImageFacts, **facts: Any) -> list[Found]:
    """What a check finds in a study set."""
    return list(check.find(study(*images, **facts)))


def names(problems: list[Found]) -> list[tuple[str, ...]]:
    return [problem.subjects for problem in problems]

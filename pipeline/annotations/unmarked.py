"""Unmarked: what it means that a reader marked nothing of a finding on an image; an option of all formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, TypeAlias

from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem

Unmarked: TypeAlias = Literal["unknown", "absent"]
NO_WORD = "unmarked: 'absent' is set, but the annotations name no finding; set their finding, or leave it out"


def with_words(items: Iterable[AnnotationItem], *, unmarked: Unmarked = "unknown") -> list[AnnotationItem]:
    """The items of one source without words alone; `absent`: each has the findings that the source may name.

    Raises ConfigError if the source names none.
    """
    found: list[AnnotationItem] = []
    words: dict[str, None] = {}
    for item in items:
        if item.finding and not item.denies:
            words[item.finding] = None
        if item.says != "word":
            found.append(item)
    if unmarked == "unknown":
        return found
    if not words:
        raise ConfigError(NO_WORD)
    of_all = tuple(words)
    return [item if _is_refused(item) else replace(item, unmarked=of_all) for item in found]


def _is_refused(item: AnnotationItem) -> bool:
    """Whether its file could not be read, so that nothing is known of what it marks."""
    return item.finding is None and item.says == "shapes" and item.payload.get("problem") is not None

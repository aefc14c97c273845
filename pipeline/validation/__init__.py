"""Validation: annotations and images → what is wrong with them, without a model.

To add a check: its file, its line in `CHECKS`, and the broken study set in tests/test_validate.py that it
finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pipeline.errors import ConfigError
from pipeline.registry import Registry
from pipeline.validation.check import LEVELS, Check, Problem
from pipeline.validation.facts import StudySet

CHECKS: Registry[Check] = Registry(
    "check of annotations",
    {
        "no_image": "pipeline.validation.joining:NO_IMAGE_FOUND",
        "unannotated": "pipeline.validation.joining:UNANNOTATED",
        "not_drawn": "pipeline.validation.joining:NOT_DRAWN",
        "seldom_drawn": "pipeline.validation.joining:SELDOM_DRAWN",
        "unreadable_annotation": "pipeline.validation.reading:UNREADABLE",
        "unreadable_image": "pipeline.validation.reading:NO_PIXELS",
        "repeated_file": "pipeline.validation.reading:REPEATED_FILE",
        "size": "pipeline.validation.reading:WRONG_SIZE",
        "unknown_finding": "pipeline.validation.naming:UNKNOWN_FINDING",
        "undeclared_finding": "pipeline.validation.naming:UNDECLARED_FINDING",
        "no_finding": "pipeline.validation.naming:NAMELESS",
        "empty_though_present": "pipeline.validation.labelling:EMPTY_THOUGH_PRESENT",
        "drawn_though_absent": "pipeline.validation.labelling:DRAWN_THOUGH_ABSENT",
        "outside_body": "pipeline.validation.place:OUTSIDE_BODY",
        "box_outside": "pipeline.validation.rectangles:OUTSIDE_IMAGE",
        "box_area": "pipeline.validation.rectangles:NO_AREA",
        "specks": "pipeline.validation.shapes:SPECKS",
        "holes": "pipeline.validation.shapes:HOLES",
        "pinholes": "pipeline.validation.shapes:PINHOLES",
        "turned": "pipeline.validation.orientation:TURNED",
        "turned_throughout": "pipeline.validation.orientation:TURNED_THROUGHOUT",
        "same_mask": "pipeline.validation.copies:SAME_MASK",
        "same_pixels": "pipeline.validation.copies:SAME_PIXELS",
        "same_pixels_other_truth": "pipeline.validation.copies:SAME_PIXELS_OTHER_TRUTH",
        "alike": "pipeline.validation.copies:ALIKE",
        "alike_apart": "pipeline.validation.copies:ALIKE_APART",
        "readers_apart": "pipeline.validation.readers:PAIR_APART",
        "reader_apart": "pipeline.validation.readers:READER_APART",
    },
)
Levels = Mapping[str, Literal["error", "warning", "note", "off"]]
"""Check → another level than its own, or off."""


def check_levels(levels: Levels) -> None:
    """Refuse the name of a check that there is not."""
    for name in levels:
        try:
            CHECKS.check(name)
        except ConfigError as error:
            raise ConfigError(f"validation.levels: {error}") from error


def problems(study: StudySet, levels: Levels) -> Iterator[Problem]:
    """Everything that the checks find, the worst level first, then in the order of `CHECKS`."""
    levelled = [(name, levels.get(name, CHECKS[name].level)) for name in CHECKS]
    for wanted in LEVELS:
        for name, level in levelled:
            if level == wanted:
                yield from (Problem(name, wanted, found) for found in CHECKS[name].find(study))

"""Checks: the registry of all checks of annotations and images.

To add a check, write its file, add a line to `CHECKS`, and add a broken study set that it finds to
tests/validation/test_validate.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pipeline.errors import ConfigError
from pipeline.registry import Registry
from pipeline.validation.checks.check import LEVELS, Check, Problem
from pipeline.validation.facts import StudySet

CHECKS: Registry[Check] = Registry(
    "check of annotations",
    {
        "no_image": "pipeline.validation.checks.joining:NO_IMAGE_FOUND",
        "unannotated": "pipeline.validation.checks.joining:UNANNOTATED",
        "not_drawn": "pipeline.validation.checks.joining:NOT_DRAWN",
        "seldom_drawn": "pipeline.validation.checks.joining:SELDOM_DRAWN",
        "unreadable_annotation": "pipeline.validation.checks.reading:UNREADABLE",
        "unreadable_image": "pipeline.validation.checks.reading:NO_PIXELS",
        "repeated_file": "pipeline.validation.checks.reading:REPEATED_FILE",
        "unread_file": "pipeline.validation.checks.reading:UNREAD_FILE",
        "size": "pipeline.validation.checks.reading:WRONG_SIZE",
        "unknown_finding": "pipeline.validation.checks.naming:UNKNOWN_FINDING",
        "undeclared_finding": "pipeline.validation.checks.naming:UNDECLARED_FINDING",
        "no_finding": "pipeline.validation.checks.naming:NAMELESS",
        "empty_though_present": "pipeline.validation.checks.labelling:EMPTY_THOUGH_PRESENT",
        "drawn_though_absent": "pipeline.validation.checks.labelling:DRAWN_THOUGH_ABSENT",
        "outside_body": "pipeline.validation.checks.place:OUTSIDE_BODY",
        "box_outside": "pipeline.validation.checks.rectangles:OUTSIDE_IMAGE",
        "box_area": "pipeline.validation.checks.rectangles:NO_AREA",
        "box_shares": "pipeline.validation.checks.box_units:IN_SHARES",
        "box_percent": "pipeline.validation.checks.box_units:IN_PERCENT",
        "box_columns": "pipeline.validation.checks.box_units:READ_OTHERWISE",
        "box_tiny": "pipeline.validation.checks.box_units:SMALLER_THAN_A_PIXEL",
        "box_corner": "pipeline.validation.checks.box_units:IN_CORNER",
        "inverted_mask": "pipeline.validation.checks.coverage:INVERTED",
        "wide_mask": "pipeline.validation.checks.coverage:WIDE",
        "far_larger": "pipeline.validation.checks.coverage:FAR_LARGER",
        "specks": "pipeline.validation.checks.shapes:SPECKS",
        "holes": "pipeline.validation.checks.shapes:HOLES",
        "pinholes": "pipeline.validation.checks.shapes:PINHOLES",
        "turned": "pipeline.validation.checks.orientation:TURNED",
        "turned_throughout": "pipeline.validation.checks.orientation:TURNED_THROUGHOUT",
        "turned_few": "pipeline.validation.checks.orientation:TURNED_FEW",
        "same_mask": "pipeline.validation.checks.duplicates:SAME_MASK",
        "same_pixels": "pipeline.validation.checks.duplicates:SAME_PIXELS",
        "same_pixels_other_truth": "pipeline.validation.checks.duplicates:SAME_PIXELS_OTHER_TRUTH",
        "alike": "pipeline.validation.checks.duplicates:ALIKE",
        "alike_apart": "pipeline.validation.checks.duplicates:ALIKE_APART",
        "dark": "pipeline.validation.checks.brightness:DARK",
        "brightness": "pipeline.validation.checks.brightness:UNLIKE",
        "readers_apart": "pipeline.validation.checks.readers:PAIR_APART",
        "reader_apart": "pipeline.validation.checks.readers:READER_APART",
    },
    group="heatproof.validation",
    wanted=Check,
)
Levels = Mapping[str, Literal["error", "warning", "note", "off"]]
"""Check → level that replaces its own, or off."""


def check_levels(levels: Levels) -> None:
    """Raise ConfigError if a name is not that of a check."""
    for name in levels:
        try:
            CHECKS.check(name)
        except ConfigError as error:
            raise ConfigError(f"validation.levels: {error}") from error


def problems(study: StudySet, levels: Levels) -> Iterator[Problem]:
    """All problems that the checks find, the worst level first, then in the order of `CHECKS`."""
    levelled = [(name, levels.get(name, CHECKS[name].level)) for name in CHECKS]
    for wanted in LEVELS:
        for name, level in levelled:
            if level == wanted:
                yield from (Problem(name, wanted, found) for found in CHECKS[name].find(study))

"""Rectangles: boxes outside their image, and boxes without area."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.geometry import SLACK_PX
from pipeline.records import Box, Shape
from pipeline.validation.checks.box_groups import (
    EDGE,
    boxes,
    by_reader,
    count_boxes,
    has_area,
    is_finite,
    other_reading,
    reach,
)
from pipeline.validation.checks.check import TENTH, Check, Found, percent
from pipeline.validation.facts import StudySet


def _outside(study: StudySet) -> Iterator[Found]:
    explained = _read_otherwise(study)
    for image, finding, reader, box in boxes(study):
        if not has_area(box) or reader in explained:
            continue
        beyond = reach(box, image.shape)
        if beyond > SLACK_PX:
            rows, columns = image.shape
            share = _share_outside(box, image.shape)
            part = "A box lies completely" if share >= 1 else f"{percent(share)} of a box lies"
            yield Found(
                f"{part} outside its image of {rows:,} rows and {columns:,} columns, by up to {beyond:,.0f} "
                f"pixels: {_written(box)}.",
                (image.case_id,),
                finding,
                reader,
            )


def _no_area(study: StudySet) -> Iterator[Found]:
    explained = _read_otherwise(study)
    for image, finding, reader, box in boxes(study):
        if not has_area(box) and not (is_finite(box) and reader in explained):
            yield Found(f"A box has no area: {_written(box)}.", (image.case_id,), finding, reader)


def _read_otherwise(study: StudySet) -> frozenset[str]:
    """Readers whose boxes another check reports, because all of them fit in another reading."""
    return frozenset(group.reader for group in by_reader(study) if other_reading(group) is not None)


def _share_outside(box: Box, shape: Shape) -> float:
    """Share (0 … 1) of the box's area outside the image."""
    rows, columns = shape
    width = min(box.x + box.width, columns + EDGE) - max(box.x, EDGE)
    height = min(box.y + box.height, rows + EDGE) - max(box.y, EDGE)
    return 1 - max(0.0, width) * max(0.0, height) / (box.width * box.height)


def _written(box: Box) -> str:
    """Corner and size as text, counted from the image's corner, as in most tables."""
    x, y, width, height = (
        f"{value:,.0f}" if math.isfinite(value) else "not a number"
        for value in (box.x - EDGE, box.y - EDGE, box.width, box.height)
    )
    return f"x {x}, y {y}, width {width}, height {height}"


OUTSIDE_IMAGE = Check(
    title="Box outside the image",
    level="error",
    looks_for=f"boxes that cross their image's edge by more than {SLACK_PX:g} pixel, or lie outside it",
    remedy="Check whether the coordinates were made on a resized or cropped image, or whether two corners "
    "were read as corner and size: set the columns of the source accordingly.",
    of="boxes",
    count=count_boxes,
    find=_outside,
    stops_at=TENTH,
)
NO_AREA = Check(
    title="Box without area",
    level="error",
    looks_for="boxes whose width or height is 0 or less, or whose coordinates are not all numbers",
    remedy="Draw the box again. To record that the finding is absent, leave all four coordinates empty.",
    of="boxes",
    count=count_boxes,
    find=_no_area,
    stops_at=TENTH,
)

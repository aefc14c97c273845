"""Rectangles: boxes outside of their image, and boxes that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.records import Box, Shape
from pipeline.validation.check import Check, Found, percent
from pipeline.validation.facts import ImageFacts, StudySet

SLACK_PX = 1.0
"""How far a box may reach over the edge: tools round. As the format of boxes has it."""
EDGE = -0.5
"""Of the image, left and top, in image coordinates."""


def _outside(study: StudySet) -> Iterator[Found]:
    for image, finding, reader, box in _boxes(study):
        if not _has_area(box):
            continue
        reach = _reach(box, image.shape)
        if reach > SLACK_PX:
            rows, columns = image.shape
            share = _share_outside(box, image.shape)
            how = "lies wholly outside of" if share >= 1 else f"lies by {percent(share)} outside of"
            yield Found(
                f"A box {how} its image of {rows:,} rows and {columns:,} columns, by up to {reach:,.0f} "
                f"pixels: {_written(box)}.",
                (image.case_id,),
                finding,
                reader,
            )


def _no_area(study: StudySet) -> Iterator[Found]:
    for image, finding, reader, box in _boxes(study):
        if not _has_area(box):
            yield Found(f"A box has no area: {_written(box)}.", (image.case_id,), finding, reader)


def _boxes(study: StudySet) -> Iterator[tuple[ImageFacts, str, str, Box]]:
    for image in study.images:
        for part in (image.drawn, image.refused):
            for entry in part:
                yield from ((image, entry.finding, entry.reader, box) for box in entry.boxes)


def _has_area(box: Box) -> bool:
    return all(map(math.isfinite, (box.x, box.y, box.width, box.height))) and min(box.width, box.height) > 0


def _reach(box: Box, shape: Shape) -> float:
    """How many pixels the box reaches beyond the image's edge, at most; 0 and less: it does not."""
    rows, columns = shape
    beyond_right = box.x + box.width - (columns + EDGE)
    beyond_bottom = box.y + box.height - (rows + EDGE)
    return max(EDGE - box.x, EDGE - box.y, beyond_right, beyond_bottom)


def _share_outside(box: Box, shape: Shape) -> float:
    """Of the box's area."""
    rows, columns = shape
    width = min(box.x + box.width, columns + EDGE) - max(box.x, EDGE)
    height = min(box.y + box.height, rows + EDGE) - max(box.y, EDGE)
    return 1 - max(0.0, width) * max(0.0, height) / (box.width * box.height)


def _written(box: Box) -> str:
    """Corner and size; the corner counted from the image's corner, as most tables do."""
    x, y, width, height = (
        f"{value:,.0f}" if math.isfinite(value) else "not a number"
        for value in (box.x - EDGE, box.y - EDGE, box.width, box.height)
    )
    return f"x {x}, y {y}, width {width}, height {height}"


def _count(study: StudySet) -> int:
    return sum(1 for _ in _boxes(study))


OUTSIDE_IMAGE = Check(
    title="Box outside the image",
    level="error",
    looks_for=f"boxes that reach over their image's edge by more than {SLACK_PX:g} pixel, partly or wholly",
    remedy="Were the coordinates made on a resized or cropped image, or are they corners taken for "
    "sizes? The source's columns say which is which.",
    of="boxes",
    count=_count,
    find=_outside,
)
NO_AREA = Check(
    title="Box without area",
    level="error",
    looks_for="boxes whose width or height is 0 or less, or a coordinate no number",
    remedy="Draw the box again; leave all four coordinates empty to say that the finding is not there.",
    of="boxes",
    count=_count,
    find=_no_area,
)

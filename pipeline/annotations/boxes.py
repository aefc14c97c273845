"""Boxes: a CSV with one row a box, several readers kept apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, cast

from pipeline.annotations.source_files import image_key, source_file
from pipeline.annotations.tables import FIRST_ROW, Table, read_table
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Box, Reference, Shape
from pipeline.registry import did_you_mean

Origin: TypeAlias = Literal["corner", "centre"]

PIXEL_CENTRE = 0.5
"""From the image's corner to the centre of its first pixel, where image coordinates have their origin."""

SLACK_PX = 1.0
"""How far a box may reach over the image's edge: tools round, some count the last pixel twice."""

SIZED = ("x", "y", "width", "height")
CORNERS = ("x_min", "y_min", "x_max", "y_max")
KEYS: Mapping[str, object] = dict.fromkeys(("image", "finding", "reader", *SIZED, *CORNERS))


def find(
    path: Path,
    *,
    file: str | None = None,
    columns: Mapping[str, str] | None = None,
    finding: str | None = None,
    reader: str = "reader",
    origin: Origin = "corner",
) -> Iterator[AnnotationItem]:
    """The boxes of each image, finding and reader; rows without coordinates say that it is not there.

    `columns` says what the table calls image, finding, reader, and x, y, width, height or x_min, y_min,
    x_max, y_max; without it they have these names (image: the first of `IMAGE_COLUMNS`). A table without a
    column of findings or readers takes `finding` and `reader`. `origin`: (0, 0) is the image's "corner", so
    that pixel column c covers c … c + 1 (COCO), or the "centre" of its first pixel. Lengths are in pixels.
    """
    table = read_table(source_file(path, file))
    names = _names(table, dict(columns or {}), finding)
    coordinates = coordinate_columns(table, names)
    boxes: dict[tuple[str, str | None, str], list[Box]] = {}
    for row in table.rows:
        who = row[names["reader"]] if "reader" in names else reader
        words = row[names["finding"]] if "finding" in names else finding
        drawn = boxes.setdefault((image_key(row[names["image"]]), words, who), [])
        box = _box(row, coordinates, 0.0 if origin == "centre" else PIXEL_CENTRE)
        if box:
            drawn.append(box)
    for (image, words, who), drawn in boxes.items():
        yield AnnotationItem("boxes", image, words, who, payload={"boxes": tuple(drawn)})


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The boxes, each an instance.

    Raises CaseError: "bad_box" (not a number, no area), "box_outside_image" (by more than `SLACK_PX`).
    """
    boxes = cast("tuple[Box, ...]", item.payload["boxes"])
    for box in boxes:
        _check(box, shape)
    return Reference(case_id, finding, item.reader, kind="box", boxes=boxes)


def _names(table: Table, columns: dict[str, str], finding: str | None) -> dict[str, str]:
    """What the table calls image, finding and reader, as far as it has them, and the rest of `columns`."""
    for key in columns:
        if key not in KEYS:
            raise ConfigError(f"columns.{key}: unknown key{did_you_mean(key, KEYS)}")
    names = {key: table.column(name) for key, name in columns.items()}
    if "finding" in names and finding is not None:
        raise ConfigError(f"finding: '{finding}' is given, and a column of findings too; drop one")
    if "image" not in names:
        names["image"] = table.image_column()
    if finding is None and "finding" not in names:
        names["finding"] = table.column("finding")
    if "reader" not in names and "reader" in table.columns:
        names["reader"] = "reader"
    return names


def coordinate_columns(table: Table, names: Mapping[str, str]) -> dict[str, str]:
    """The four columns of coordinates, by `names` or their own names; ConfigError where there are none."""
    for keys in (SIZED, CORNERS):
        found = {key: names.get(key, key) for key in keys}
        if all(name in table.columns for name in found.values()):
            return found
    raise ConfigError(
        f"{table.file}: has no columns {', '.join(SIZED)} nor {', '.join(CORNERS)}; "
        f"{FIRST_ROW}; say which with `columns:`"
    )


def _box(row: Mapping[str, str], coordinates: Mapping[str, str], shift: float) -> Box | None:
    """A row's box in image coordinates, NaN where a cell is no number; None where all four are empty."""
    cells = [row[name] for name in coordinates.values()]
    if not any(cells):
        return None
    x, y, third, fourth = (_number(cell) for cell in cells)
    if "x_max" in coordinates:
        third, fourth = third - x, fourth - y
    return Box(x - shift, y - shift, third, fourth)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _check(box: Box, shape: Shape) -> None:
    numbers = (box.x, box.y, box.width, box.height)
    if not all(map(math.isfinite, numbers)):
        raise CaseError("bad_box", "A box has a coordinate that is not a number.")
    if box.width <= 0 or box.height <= 0:
        raise CaseError("bad_box", "A box has no area.")
    rows, columns = shape
    least = -PIXEL_CENTRE - SLACK_PX
    right, bottom = box.x + box.width, box.y + box.height
    if (
        min(box.x, box.y) < least
        or right > columns + least + 2 * SLACK_PX
        or bottom > rows + least + 2 * SLACK_PX
    ):
        raise CaseError(
            "box_outside_image",
            f"A box reaches out of its image of {rows} rows and {columns} columns; "
            "were the coordinates made on a resized one?",
        )


BOXES = AnnotationFormat(find=find, read=read)

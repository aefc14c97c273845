"""Boxes: a CSV file with one row per box, for one or several readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from sys import intern
from typing import Literal, NamedTuple, cast

from pipeline.annotations.box_columns import BOX, NO_COORDINATE, BoxColumns, box_columns, number
from pipeline.annotations.shapes import PIXEL_CENTRE, Origin
from pipeline.annotations.source_files import MOST_SHAPES, image_key, source_file
from pipeline.annotations.spelling import plain, words_in
from pipeline.annotations.tables import Table, read_table
from pipeline.contracts import AnnotationFormat
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box, Point, Reference, Shape

READER = "reader"
"""Name of the reader if nothing names one."""
NO_FRAME = -1


class Key(NamedTuple):
    """What the rows of one annotation have in common."""

    image: str
    finding: str | None
    reader: str
    frame: int | None
    slice_mm: float | None


def find(
    path: Path,
    *,
    file: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    finding: str | None = None,
    reader: str | None = None,
    origin: Origin = "corner",
    first_frame: Literal[0, 1] | None = None,
    no_finding: tuple[str, ...] = (),
) -> Iterator[AnnotationItem]:
    """One item per image, frame, finding and reader; without coordinates, the finding is absent.

    `columns` maps image, finding, reader, frame and either x, y, width, height or x_min, y_min, x_max, y_max
    to the table's columns; the default is these names (for image: the first of `IMAGE_COLUMNS`). None leaves
    out a column of findings, readers or frames. `finding` and `reader` apply where the table has no such
    column. `origin`: (0, 0) is the image's "corner", so that pixel column c covers c … c + 1 (COCO), or the
    "centre" of its first pixel. `first_frame` is the number of the first frame. A column slice_location, in
    mm along the normal, tells several slices of one name apart. `no_finding`: words of the table that say
    that its reader saw none of the findings. Lengths are in pixels. A cell may list several findings:
    ['Mass', 'Nodule'].
    """
    grouped = rows_of(
        path,
        file=file,
        columns=columns,
        finding=finding,
        reader=reader,
        origin=origin,
        first_frame=first_frame,
    )
    yield from row_items("boxes", grouped.rows, no_finding)


def row_items(
    name: str, rows: Mapping[Key, Sequence[Box | Point | None]], no_finding: Sequence[str]
) -> Iterator[AnnotationItem]:
    """One item of the format `name`, which is also the key of its shapes, per key of `rows`."""
    denials = frozenset(map(plain, no_finding))
    for key, found in rows.items():
        yield AnnotationItem(
            name,
            key.image,
            key.finding,
            key.reader,
            payload={name: tuple(shape for shape in found if shape is not None)},
            frame=key.frame,
            denies=key.finding is not None and plain(key.finding) in denials,
            slice_mm=key.slice_mm,
        )


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:  # noqa: ARG001  a format's argument
    """The boxes, one instance each; the caller checks them."""
    boxes = cast("tuple[Box, ...]", item.payload["boxes"])
    return Reference(case_id, finding, item.reader, kind="box", boxes=boxes)


class BoxRows(NamedTuple):
    """A table of boxes, read."""

    table: Table
    columns: BoxColumns
    rows: Mapping[Key, Sequence[Box | Point | None]]
    """Image, finding, reader and frame → the shape of each row, None without coordinates."""

    @property
    def without_box(self) -> int:
        """Number of rows without coordinates that other rows of the same key contradict."""
        return sum(boxes.count(None) for boxes in self.rows.values() if any(boxes))


def rows_of(
    path: Path,
    *,
    file: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    finding: str | None = None,
    reader: str | None = None,
    origin: Origin = "corner",
    first_frame: int | None = None,
    no_finding: tuple[str, ...] = (),  # noqa: ARG001  of words, which rows keep as they are
    kinds: Sequence[tuple[str, ...]] = BOX,
) -> BoxRows:
    """The rows of a table, with the options of `find`; `kinds`: sets of coordinates that it may have.

    Raises ConfigError as `find` does.
    """
    table = read_table(source_file(path, file))
    names = box_columns(table, columns or {}, finding=finding, reader=reader, kinds=kinds)
    table.refuse_shared_names(names.image)
    first = _first_frame(table, names, first_frame)
    shift = 0.0 if origin == "centre" else PIXEL_CENTRE
    rows: dict[Key, list[Box | Point | None]] = {}
    for count, row in enumerate(table.select(dict.fromkeys(names.by_key.values())), start=1):
        if count > MOST_SHAPES:
            raise ConfigError(
                f"{table.file}: has more than {MOST_SHAPES:,} rows of boxes; split it, and run each part"
            )
        shape = _shape(row, names.coordinates, shift, table.separator)
        for key in _keys(row, names, finding, reader, first, table.separator):
            rows.setdefault(key, []).append(shape)
    return BoxRows(table, names, rows)


def _keys(
    row: Mapping[str, str],
    names: BoxColumns,
    finding: str | None,
    reader: str | None,
    first: int,
    separator: str,
) -> list[Key]:
    """The key of each finding of a row."""
    annotator = (reader or READER) if names.reader is None else _text(row[names.reader])
    frame = None if names.frame is None else _frame(row[names.frame], first)
    image = image_key(_text(row[names.image]))
    place = None if names.slice_location is None else _text(row[names.slice_location])
    slice_mm = number(place, separator=separator) if place else None
    words = (finding,) if names.finding is None else map(_text, words_in(row[names.finding]))
    return [Key(image, word, annotator, frame, slice_mm) for word in words]


def _text(cell: str) -> str:
    """The cell, kept once for all rows; empty for the "nan" that some programs write into empty cells."""
    return "" if cell.casefold() == "nan" else intern(cell)


def _first_frame(table: Table, names: BoxColumns, stated: int | None) -> int:
    """The number of the first frame: as the config says, or 0 if the table has a frame 0."""
    if names.frame is None or stated is not None:
        return stated or 0
    numbers = (frame for cell in table.cells(names.frame) if (frame := _frame(cell, 0)) is not None)
    first = min(numbers, default=0)
    if first != 0:
        raise ConfigError(
            f"{table.file}: its frames begin at {first}, so it is unknown whether the first frame "
            "is 0 or 1; set first_frame: 0 or first_frame: 1"
        )
    return 0


def _frame(cell: str, first: int) -> int | None:
    """The frame in a cell, counted from 0; None for an empty cell, -1 (no frame) for one without a number."""
    if not _text(cell):
        return None
    value = number(cell)
    return int(value) - first if value.is_integer() else NO_FRAME


def _shape(
    row: Mapping[str, str], coordinates: Mapping[str, str], shift: float, separator: str
) -> Box | Point | None:
    """The row's shape in image coordinates, NaN for cells that are not numbers; None if all are empty."""
    cells = [row[name] for name in coordinates.values()]
    if all(cell.casefold() in NO_COORDINATE for cell in cells):
        return None
    x, y, *size = (number(cell, separator=separator) for cell in cells)
    if not size:
        return Point(x - shift, y - shift)
    third, fourth = size
    if "x_max" in coordinates:
        third, fourth = third - x, fourth - y
    return Box(x - shift, y - shift, third, fourth)


BOXES = AnnotationFormat(find=find, read=read, kind="box")

"""Supervisely: one JSON file per image, 17.png.json, with `size` and `objects`.

Coordinates are numbers of pixels: a rectangle contains its right column and bottom row, and the corners of a
polygon are centres of pixels. A tag of the image says that it shows the tag's name; one with a value is the
finding "name: value". Tags of objects are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.annotations.bitmaps import bitmap_of
from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.json_fields import name_in, size_in, usable
from pipeline.annotations.shapes import Drawn, Geometry, Problem, box_of, looked_at, point_of, polygon_of, tag
from pipeline.annotations.tool_files import image_in, items_in
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.guards.json_files import read_json
from pipeline.records import AnnotationItem

OTHER_SHAPE = Problem(
    "no_area", "A shape is neither bitmap, polygon, rectangle nor point; convert it to one of these."
)


def find(
    path: Path, executor: Executor | None = None, *, folder: str = "", reader: str = "reader"
) -> Iterator[AnnotationItem]:
    """One item per image and class of the files below `folder`. Raises ConfigError if there are none."""
    read = partial(_shapes, reader=reader)
    return items_in("supervisely", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, folder: str, *, reader: str) -> list[Drawn]:
    """The objects of a file. Raises CaseError."""
    content = read_json(file, most_values=None)
    objects = content.get("objects") if isinstance(content, dict) else None
    if not isinstance(objects, list):
        raise CaseError("annotation_unreadable", "has no list of objects; export it again")
    image, size = image_in(folder, file.stem), size_in(content.get("size"), "height", "width")
    drawn = [
        Drawn(image, name_in(entry, "classTitle"), usable(partial(_geometry, entry)), reader, size=size)
        for entry in objects
    ]
    tags = content.get("tags")
    said = [tag(image, _tagged(entry), reader) for entry in tags] if isinstance(tags, list) else []
    return [looked_at(image, reader), *drawn, *said]


def _tagged(entry: Any) -> str:
    """The finding of a tag, which older files write as its name alone. Raises CaseError."""
    if isinstance(entry, str):
        return entry
    name = name_in(entry, "name")
    return name if entry.get("value") is None else f"{name}: {name_in(entry, 'value')}"


def _geometry(entry: Mapping[str, Any]) -> Geometry:
    kind = entry["geometryType"]
    if kind == "bitmap":
        bitmap = entry["bitmap"]
        return bitmap_of(bitmap["data"], *bitmap["origin"], is_deflated=True)
    outer = entry["points"]["exterior"]
    if kind == "polygon":
        return polygon_of(outer, holes=entry["points"].get("interior", ()), origin="centre")
    if kind == "rectangle":
        (left, top), (right, bottom) = outer
        return box_of(left, top, right - left + 1, bottom - top + 1)
    if kind == "point":
        ((x, y),) = outer
        return point_of(x, y, origin="centre")
    return OTHER_SHAPE


SUPERVISELY = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

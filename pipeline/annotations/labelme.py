"""LabelMe: one JSON file per image with `shapes` and `imagePath`, as labelme (wkentaro) writes them.

Coordinates count from the image's corner. Shapes with the same label and group_id are parts of one object.
Rectangles are boxes; circles and ellipses are polygons with many corners. A flag of the file that is set says
that the whole image shows it; flags of shapes are not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.annotations.bitmaps import bitmap_of
from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.json_fields import name_in, size_in, usable
from pipeline.annotations.shapes import (
    Drawn,
    Geometry,
    Polygon,
    Problem,
    box_of,
    ellipse_of,
    looked_at,
    point_of,
    polygon_of,
    tag,
    word,
)
from pipeline.annotations.tool_files import image_in, items_in
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.guards.json_files import read_json
from pipeline.records import AnnotationItem

NO_AREA = "Lines mark no area; draw polygons, rectangles, circles or points."


def find(
    path: Path, executor: Executor | None = None, *, folder: str = "", reader: str = "reader"
) -> Iterator[AnnotationItem]:
    """One item per image and label of the files below `folder`. Raises ConfigError if there are none."""
    read = partial(_shapes, reader=reader)
    return items_in("labelme", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, folder: str, *, reader: str) -> list[Drawn]:
    """The shapes of a file. Raises CaseError."""
    content = read_json(file, most_values=None)
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        raise CaseError("annotation_unreadable", "has no list of shapes; export it again")
    path = content.get("imagePath")
    image = image_in(folder, path if isinstance(path, str) and path else file.stem)
    size = size_in(content, "imageHeight", "imageWidth")
    groups: dict[tuple[str, object], list[Geometry]] = {}
    for number, entry in enumerate(shapes):
        label = name_in(entry, "label")
        group = entry.get("group_id")
        key = group if isinstance(group, int) else f"shape {number}"
        groups.setdefault((label, key), []).append(usable(partial(_geometry, entry)))
    drawn = [
        Drawn(image, label, shape, reader, size=size)
        for (label, _), parts in groups.items()
        for shape in _joined(parts)
    ]
    return [looked_at(image, reader), *drawn, *_flags(content.get("flags"), image, reader)]


def _flags(flags: Any, image: str, reader: str) -> Iterator[Drawn]:
    """What flags say of the whole image: one that is set is present."""
    for name, is_set in flags.items() if isinstance(flags, dict) else ():
        yield tag(image, name, reader) if is_set is True else word(name, reader)


def _joined(parts: Sequence[Geometry]) -> Sequence[Geometry]:
    """One polygon of several parts, if all of them are polygons; else the parts."""
    polygons = [part for part in parts if isinstance(part, Polygon)]
    if len(polygons) < max(2, len(parts)):
        return parts
    return [Polygon(tuple(part for polygon in polygons for part in polygon.parts))]


def _geometry(entry: Mapping[str, Any]) -> Geometry:
    points, kind = entry["points"], entry.get("shape_type", "polygon")
    if kind in {"polygon", "oriented_rectangle", "rotation"}:
        return polygon_of(points)
    if kind == "rectangle":
        xs, ys = ([float(point[axis]) for point in points] for axis in (0, 1))
        return box_of(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    if kind == "circle":
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return ellipse_of(x, y, radius, radius)
    if kind == "point":
        ((x, y),) = points
        return point_of(x, y)
    if kind == "mask":
        return bitmap_of(entry["mask"], *points[0])
    if kind in {"line", "linestrip", "points"}:
        return Problem("no_area", NO_AREA)
    raise CaseError("bad_shape", "A shape is of a type that is not known; draw polygons or rectangles.")


LABELME = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

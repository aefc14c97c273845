"""Drawn: the shapes of an annotation tool → annotations by image, finding and reader, and their references.

The format of a tool only turns its file into `Drawn` shapes; `read_shapes` reads them for all formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

import numpy as np

from pipeline.annotations.bitmaps import Bitmap, mask_of
from pipeline.annotations.in_patient import on_image
from pipeline.annotations.masks import check_stated_size
from pipeline.annotations.outlined import checked_and_filled
from pipeline.annotations.parts import parts_of
from pipeline.annotations.run_lengths import Runs, decode_runs
from pipeline.annotations.shapes import (
    PIXEL_CENTRE,
    Contours,
    Crowd,
    Drawn,
    Geometry,
    InPatient,
    Polygon,
    Problem,
    Shares,
    outline_of,
    polygon_of,
)
from pipeline.annotations.source_files import MOST_SHAPES, TOO_MANY, printable
from pipeline.errors import CaseError, ConfigError
from pipeline.records import (
    AnnotationItem,
    Box,
    ImagePlane,
    Kind,
    Mask,
    Notice,
    Point,
    Reference,
    Says,
    Shape,
)

Several: TypeAlias = Runs | Bitmap | Crowd | Contours
"""Masks in the forms in which they are kept until they are read."""
ABOUT = "annotations.sources"
BOXES_OF_ALL = Notice(
    "guess",
    ABOUT,
    "Readers drew boxes and outlines of one finding on one image; outlines are read there as the boxes "
    "around them.",
)
CROWDS = Notice(
    "guess",
    ABOUT,
    "Annotations may mark several objects together (iscrowd in COCO, overlays); each part is read as a "
    "lesion.",
)
ODD = Notice(
    "guess",
    ABOUT,
    "Readers drew several contours of one object on one image; what lies inside two of them is read as a "
    "hole.",
)
MIXED = Problem(
    "mixed_kinds",
    "A reader marks one finding of an image both by points and by boxes or outlines, so that neither has all "
    "lesions; use one of them.",
)


class _Key(NamedTuple):
    """What the shapes of one item have in common."""

    image: str
    finding: str | None
    reader: str
    frame: int | None
    size: Shape | None
    place: ImagePlane | None
    says: Says


def items_of(name: str, drawn: Iterable[Drawn], *, path: Path | None = None) -> Iterator[AnnotationItem]:
    """One item of the format `name` per image, finding, reader and frame; `path` is a file with few of them.

    Raises ConfigError if there are more than `MOST_SHAPES`.
    """
    groups: dict[_Key, list[Drawn]] = {}
    for count, one in enumerate(drawn, start=1):
        if count > MOST_SHAPES:
            raise ConfigError(TOO_MANY)
        word = one.finding if one.finding is None else printable(one.finding)
        image, reader = printable(one.image), printable(one.reader)
        key = _Key(image, word, reader, one.frame, one.size, one.place, one.says)
        groups.setdefault(key, []).append(one)
    marked = {(key.image, key.reader) for key in groups if key.says != "nothing"}
    for key, several in groups.items():
        if key.says == "nothing" and (key.image, key.reader) in marked:
            continue
        shapes = [one.geometry for one in several]
        payload = {**_payload(shapes), "size": key.size, **({"path": str(path)} if path else {})}
        if said := {notice.message: notice for one in several for notice in one.notices}:
            payload["notices"] = tuple(said.values())
        kind = _kind(shapes)
        yield AnnotationItem(
            name,
            key.image,
            key.finding,
            key.reader,
            payload,
            key.frame,
            place=key.place,
            kind=kind,
            says=key.says,
        )


def refused_item(name: str, image: str, error: CaseError, *, path: Path, reader: str) -> AnnotationItem:
    """The item of a file that cannot be used, with the reason; its finding is unknown."""
    payload = {"problem": Problem(error.reason, error.message), "path": str(path)}
    return AnnotationItem(name, printable(image), None, reader, payload, kind="mask")


def bytes_of(item: AnnotationItem) -> int:
    """Size of the outlines and bitmaps of an item."""
    outlines = (*_several(item, "outlines"), *_several(item, "shares"))
    parts = (
        part for shape in outlines if isinstance(shape, Polygon) for part in (*shape.parts, *shape.holes)
    )
    bitmaps = (mask.data for mask in _several(item, "masks") if isinstance(mask, Bitmap))
    return sum(map(len, (*parts, *bitmaps)))


def read_shapes(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The shapes of an item, one instance each, without empty ones.

    Raises CaseError: "mask_size", "mask_not_joined", "not_a_mask", "bad_polygon", "polygon_outside_image",
    "mixed_kinds", or that of the item's problem.
    """
    if problem := cast("Problem | None", item.payload.get("problem")):
        raise CaseError(*problem)
    check_stated_size(cast("Shape | None", item.payload["size"]), shape)
    reference = _read(item, Reference(case_id, finding, item.reader, item.kind or "mask"), shape)
    said = cast("tuple[Notice, ...]", item.payload.get("notices", ()))
    return replace(reference, notices=(*reference.notices, *said))


def _read(item: AnnotationItem, reference: Reference, shape: Shape) -> Reference:
    """The empty reference with the item's shapes."""
    boxes, polygons = _in_pixels(item.payload, shape)
    patient = [on_image(one, item.plane) for one in cast("tuple[InPatient, ...]", item.payload["in_patient"])]
    polygons = (*polygons, *(one for one in patient if isinstance(one, Polygon)))
    masks = cast("tuple[Several, ...]", item.payload["masks"])
    masks = (*masks, *(one for one in patient if isinstance(one, Contours)))
    if item.kind == "point":
        points = cast("tuple[Point, ...]", item.payload["points"])
        return replace(reference, points=(*points, *(one for one in patient if isinstance(one, Point))))
    if item.kind == "polygon":
        return replace(reference, polygons=tuple(outline_of(polygon.parts[0]) for polygon in polygons))
    drawn = tuple(mask for mask in _drawn(polygons, masks, shape) if mask.any())
    if item.kind == "box":
        around = (*boxes, *map(_around, drawn))
        return replace(reference, boxes=around, notices=(BOXES_OF_ALL,) if drawn else ())
    kinds = {type(mask) for mask in masks}
    notices = tuple(notice for kind, notice in ((Crowd, CROWDS), (Contours, ODD)) if kind in kinds)
    return replace(reference, masks=drawn, notices=notices)


def _several(item: AnnotationItem, key: str) -> tuple[object, ...]:
    return cast("tuple[object, ...]", item.payload.get(key, ()))


def _kind(shapes: Sequence[Geometry]) -> Kind:
    """The kind as which all shapes of one item are read."""
    kinds = {_kind_of(shape) for shape in shapes} - {None}
    if kinds == {"point"}:
        return "point"
    if "box" in kinds:
        return "box"
    return "polygon" if kinds == {"polygon"} else "mask"


def _kind_of(shape: Geometry) -> Kind | None:
    if isinstance(shape, Shares):
        return _kind_of(shape.shape)
    if isinstance(shape, InPatient):
        return "point" if shape.is_point else "polygon" if len(shape.contours) == 1 else "mask"
    if isinstance(shape, Polygon):
        return "polygon" if shape.is_outline else "mask"
    if isinstance(shape, Box):
        return "box"
    if isinstance(shape, Point):
        return "point"
    return None if shape is None or isinstance(shape, Problem) else "mask"


def _payload(shapes: Sequence[Geometry]) -> dict[str, object]:
    """The shapes by what they are, and why the item cannot be used, if one of them cannot."""
    problems = [shape for shape in shapes if isinstance(shape, Problem)]
    kinds = {_kind_of(shape) for shape in shapes} - {None}
    if "point" in kinds and len(kinds) > 1:
        problems.append(MIXED)
    return {
        "boxes": tuple(shape for shape in shapes if isinstance(shape, Box)),
        "outlines": tuple(shape for shape in shapes if isinstance(shape, Polygon)),
        "shares": tuple(shape.shape for shape in shapes if isinstance(shape, Shares)),
        "points": tuple(shape for shape in shapes if isinstance(shape, Point)),
        "in_patient": tuple(shape for shape in shapes if isinstance(shape, InPatient)),
        "masks": tuple(shape for shape in shapes if isinstance(shape, Several)),
        "problem": next(iter(problems), None),
    }


def _in_pixels(payload: Mapping[str, object], shape: Shape) -> tuple[tuple[Box, ...], tuple[Polygon, ...]]:
    """The boxes and polygons in pixels of an image of `shape`."""
    rows, columns = shape
    shares = cast("tuple[Box | Polygon, ...]", payload["shares"])
    boxes = tuple(
        Box(
            box.x * columns - PIXEL_CENTRE,
            box.y * rows - PIXEL_CENTRE,
            box.width * columns,
            box.height * rows,
        )
        for box in shares
        if isinstance(box, Box)
    )
    outlines = (outline_of(polygon.parts[0]) for polygon in shares if isinstance(polygon, Polygon))
    polygons = tuple(polygon_of(outline.astype(np.float64) * (columns, rows)) for outline in outlines)
    stated = cast("tuple[Polygon, ...]", payload["outlines"])
    return (*cast("tuple[Box, ...]", payload["boxes"]), *boxes), (*stated, *polygons)


def _drawn(polygons: Sequence[Polygon], masks: Sequence[Several], shape: Shape) -> Iterator[Mask]:
    """The pixels of polygons and masks; a crowd gives a mask per connected part."""
    for polygon in polygons:
        parts = [checked_and_filled(outline_of(part), shape) for part in polygon.parts]
        holes = [checked_and_filled(outline_of(hole), shape) for hole in polygon.holes]
        yield np.logical_or.reduce(parts) & ~np.logical_or.reduce([np.zeros(shape, np.bool_), *holes])
    for mask in masks:
        if isinstance(mask, Crowd):
            yield from parts_of(decode_runs(mask.runs, shape))
        elif isinstance(mask, Contours):
            outlines = [checked_and_filled(outline_of(outline), shape) for outline in mask.outlines]
            yield np.logical_xor.reduce(outlines)
        else:
            yield mask_of(mask, shape) if isinstance(mask, Bitmap) else decode_runs(mask, shape)


def _around(mask: Mask) -> Box:
    """The box around the pixels of a mask."""
    rows, columns = np.nonzero(mask)
    left, top = int(columns.min()), int(rows.min())
    return Box(
        left - PIXEL_CENTRE, top - PIXEL_CENTRE, int(columns.max()) - left + 1, int(rows.max()) - top + 1
    )

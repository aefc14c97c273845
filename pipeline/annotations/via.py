"""VIA: regions of the VGG Image Annotator 1 and 2, in its JSON (project or annotations) or CSV.

Coordinates are pixels from the image's corner, on the canvas that it draws; ellipses turn clockwise by
radians. An attribute of the regions names the finding; of one with checkboxes, each that is set does.
Attributes of the file are of the whole image: checkboxes, and those called like findings, say that it shows
them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.annotations.box_columns import FINDING_WORDS
from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import name_in, usable
from pipeline.annotations.json_kinds import is_via, via_images
from pipeline.annotations.label_tables import TABLE_SUFFIXES
from pipeline.annotations.published import via_columns
from pipeline.annotations.shapes import (
    Drawn,
    Geometry,
    Problem,
    box_of,
    ellipse_of,
    looked_at,
    not_read,
    point_of,
    polygon_of,
    tag,
)
from pipeline.annotations.source_files import MOST_SHAPES, TOO_MANY, image_key, source_file
from pipeline.annotations.spelling import plain
from pipeline.annotations.tables import read_table
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import parse_json, read_json
from pipeline.guards.reading import named
from pipeline.records import AnnotationItem

OPEN = Problem("no_area", "A polyline marks no area; draw polygons, rectangles, circles, ellipses or points.")
NOT_READ = (
    "an attribute of the file is neither a checkbox nor called like a finding, so that it is not read; ask "
    "for findings by checkboxes"
)


class Entry(NamedTuple):
    """An image of the file, or a row of it, with its regions."""

    image: str
    attributes: Mapping[str, Any]
    regions: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]
    """Shape and attributes of each."""


def find(
    path: Path,
    *,
    file: str | None = None,
    reader: str = "reader",
    attribute: str | None = None,
    finding: str | None = None,
) -> Iterator[AnnotationItem]:
    """One item per image and finding.

    `attribute`: the one of the regions that names their finding; without it, their only one, or the only one
    that is called like a finding. `finding` is that of all regions, in its place. Raises ConfigError if the
    file is not one of VIA, or several attributes may name the finding.
    """
    chosen = source_file(path, file)
    entries = list(_entries(chosen))
    if finding is not None and attribute is not None:
        raise ConfigError(f"finding: '{finding}' is set, and so is attribute; remove one of the two")
    key = attribute if finding is not None or attribute is not None else _attribute(chosen, entries)
    yield from items_of("via", (one for entry in entries for one in _drawn(entry, key, finding, reader)))


def finding_attribute(file: Path) -> str | None:
    """The attribute that names the findings of a file; None if regions have none. Raises ConfigError."""
    return _attribute(file, _entries(file))


def _entries(file: Path) -> Iterator[Entry]:
    """The images of a file. Raises ConfigError."""
    with named(file):
        yield from _of_table(file) if file.suffix.lower() in TABLE_SUFFIXES else _of_json(file)


def _of_json(file: Path) -> Iterator[Entry]:
    content = read_json(file, most_values=None)
    if not is_via(content):
        raise ConfigError(f"{file}: is not a file of VIA; export its annotations as JSON or CSV")
    return _of_images(file, via_images(content))


def _of_images(file: Path, images: Iterable[Any]) -> Iterator[Entry]:
    for number, image in enumerate(images, start=1):
        with named(f"{file}: image {number}"):
            name = image_key(name_in(image, "filename"))
            regions = image.get("regions") or ()
            several = regions.values() if isinstance(regions, dict) else regions
            if not isinstance(several, Iterable) or not all(isinstance(one, dict) for one in several):
                raise CaseError("bad_entry", "has regions that are not mappings; export it again")
            pairs = tuple(
                (_mapping(one, "shape_attributes"), _mapping(one, "region_attributes")) for one in several
            )
            yield Entry(name, _mapping(image, "file_attributes"), pairs)


def _of_table(file: Path) -> Iterator[Entry]:
    table = read_table(file)
    columns = via_columns(table)
    if columns is None:
        raise ConfigError(f"{file}: has no columns filename, region_shape_attributes and region_attributes")
    image, *others = columns
    for count, (line, row) in enumerate(table.numbered(columns), start=1):
        if count > MOST_SHAPES:
            raise ConfigError(TOO_MANY)
        with named(f"{file}: row {line}"):
            of_file, shape, attributes = (_parsed(row[name]) for name in others)
        yield Entry(image_key(row[image]), of_file, ((shape, attributes),) if shape else ())


def _parsed(cell: str) -> Mapping[str, Any]:
    """The mapping in a cell. Raises CaseError."""
    value = parse_json(cell.encode()) if cell else {}
    if not isinstance(value, dict):
        raise CaseError("bad_entry", "has attributes that are not a mapping; export the file again")
    return value


def _mapping(entry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = entry.get(key) or {}
    if not isinstance(value, dict):
        raise CaseError("bad_entry", f"has {key} that are not a mapping; export the file again")
    return value


def _attribute(file: Path, entries: Iterable[Entry]) -> str | None:
    """The attribute that names findings. Raises ConfigError if several may."""
    used = dict.fromkeys(
        name
        for entry in entries
        for _, attributes in entry.regions
        for name, value in attributes.items()
        if any(_words(value))
    )
    likely = [name for name in used if plain(name) in FINDING_WORDS]
    found = [*used] if len(used) == 1 else likely
    if len(found) == 1 or not used:
        return found[0] if found else None
    raise ConfigError(
        f"{file}: its regions have {len(used):,} attributes, {len(likely)} of them called like findings; say "
        "which one names the finding with the source's key attribute"
    )


def _drawn(entry: Entry, key: str | None, finding: str | None, reader: str) -> Iterator[Drawn]:
    yield looked_at(entry.image, reader)
    for shape, attributes in entry.regions:
        geometry = usable(partial(_geometry, shape))
        words = (finding,) if key is None else tuple(_words(attributes.get(key))) or ("",)
        yield from (Drawn(entry.image, word, geometry, reader) for word in words)
    for name, value in entry.attributes.items():
        if isinstance(value, dict) or name == key or plain(name) in FINDING_WORDS:
            yield from (tag(entry.image, word, reader) for word in _words(value))
        elif any(_words(value)):
            yield not_read(entry.image, NOT_READ, reader)


def _words(value: Any) -> Iterator[str]:
    """The words of an attribute: its text, or the checkboxes that are set."""
    if isinstance(value, dict):
        yield from (str(name) for name, is_set in value.items() if is_set is True)
    elif isinstance(value, str | int) and str(value).strip():
        yield str(value).strip()


def _geometry(shape: Mapping[str, Any]) -> Geometry:
    kind = shape["name"]
    if kind == "rect":
        return box_of(*(shape[key] for key in ("x", "y", "width", "height")))
    if kind == "polygon":
        return polygon_of(np.array([shape["all_points_x"], shape["all_points_y"]], np.float64).T)
    if kind == "circle":
        return ellipse_of(shape["cx"], shape["cy"], shape["r"], shape["r"])
    if kind == "ellipse":
        turn = math.degrees(float(shape.get("theta", 0)))
        return ellipse_of(*(shape[key] for key in ("cx", "cy", "rx", "ry")), degrees=turn)
    if kind == "point":
        return point_of(shape["cx"], shape["cy"])
    return OPEN


VIA = AnnotationFormat(find=find, read=read_shapes, kind=None)

"""COCO: objects in one JSON file with `images`, `annotations` and `categories`, as pycocotools defines them.

Coordinates count from the image's corner, so that the pixel in column c covers c … c + 1. The polygons of one
annotation are the parts of one object; run lengths are a mask, and without both the object is its box.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import content_of, name_in, size_in, usable
from pipeline.annotations.json_kinds import COCO_LISTS, is_coco
from pipeline.annotations.run_lengths import NOT_RUNS, compact_runs
from pipeline.annotations.shapes import Crowd, Drawn, Geometry, Problem, box_of, looked_at, polygon_of, word
from pipeline.annotations.source_files import image_key, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import named
from pipeline.records import AnnotationItem, Shape

TURNED = Problem(
    "bad_box",
    "A box is turned (attributes, rotation), which boxes of COCO cannot say; export it as CVAT's own XML, or "
    "as a polygon.",
)


@dataclass(frozen=True, slots=True)
class CocoImage:
    """An entry of `images`."""

    name: str
    size: Shape | None


def find(path: Path, *, file: str | None = None, reader: str = "reader") -> Iterator[AnnotationItem]:
    """One item per image and category. Raises ConfigError if the file is not a COCO file, or has no image.

    Entries without id or name, and two with the same id, are refused, too.
    """
    chosen = source_file(path, file)
    content = _content(chosen)
    images = {
        key: CocoImage(image_key(name_in(entry, "file_name")), size_in(entry, "height", "width"))
        for key, entry in _by_id(chosen, content, "images", "file_name")
    }
    names = {key: name_in(entry, "name") for key, entry in _by_id(chosen, content, "categories", "name")}
    if not images:
        raise ConfigError(f"{chosen}: holds no image; name another file")
    drawn = chain(
        _drawn(chosen, content, images, names, reader),
        (looked_at(image.name, reader) for image in images.values()),
        (word(name, reader) for name in names.values()),
    )
    yield from items_of("coco", drawn)


def _content(file: Path) -> Mapping[str, Any]:
    content = content_of(file)
    if not is_coco(content):
        raise ConfigError(f"{file}: is not a COCO file; it needs the lists {', '.join(COCO_LISTS)}")
    return dict(content)


def _by_id(file: Path, content: Mapping[str, Any], name: str, text: str) -> Iterator[tuple[str, Any]]:
    """Id and entry of each entry of a list. Raises ConfigError."""
    seen: set[str] = set()
    for number, entry in enumerate(content[name], start=1):
        with named(f"{file}: entry {number} of {name}"):
            key = name_in(entry, "id")
            name_in(entry, text)
        if key in seen:
            raise ConfigError(f"{file}: entry {number} of {name} has the id of another; give each its own")
        seen.add(key)
        yield key, entry


def _drawn(
    file: Path,
    content: Mapping[str, Any],
    images: Mapping[str, CocoImage],
    names: Mapping[str, str],
    reader: str,
) -> Iterator[Drawn]:
    """The shape of each annotation; an image or category that the file lacks is named by its id."""
    for number, entry in enumerate(content["annotations"], start=1):
        with named(f"{file}: entry {number} of annotations"):
            image_id, category_id = name_in(entry, "image_id"), name_in(entry, "category_id")
        image = images.get(image_id) or CocoImage(f"image_id {image_id}", None)
        finding = names.get(category_id) or f"category_id {category_id}"
        yield Drawn(image.name, finding, usable(lambda: _geometry(entry)), reader, size=image.size)  # noqa: B023  called at once


def _geometry(entry: Mapping[str, Any]) -> Geometry:
    shape = entry.get("segmentation")
    if isinstance(shape, dict):
        runs = compact_runs(shape)
        if runs is None:
            raise CaseError("not_a_mask", NOT_RUNS)
        return Crowd(runs) if entry.get("iscrowd") else runs
    if shape:
        return polygon_of(*shape)
    attributes = entry.get("attributes")
    if isinstance(attributes, dict) and attributes.get("rotation"):
        return TURNED
    return box_of(*entry["bbox"])


COCO = AnnotationFormat(find=find, read=read_shapes, kind=None)

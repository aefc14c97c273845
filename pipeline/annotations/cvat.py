"""CVAT: one XML file, "CVAT for images 1.1" or "for video 1.1", with boxes, polygons, ellipses and points.

Coordinates count from the image's corner. In a video, whose name is that of the image, each track is a lesion
on its frames, without those on which it is outside. A tag says that the whole image shows its label.
Attributes are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import usable
from pipeline.annotations.shapes import (
    Drawn,
    Geometry,
    Problem,
    box_of,
    ellipse_of,
    looked_at,
    point_of,
    polygon_of,
    tag,
    turned,
    word,
)
from pipeline.annotations.source_files import image_key, source_file
from pipeline.annotations.xml_fields import attribute, number_of, size_of, text_in
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import named
from pipeline.guards.xml_files import read_xml
from pipeline.records import AnnotationItem, Shape

OTHER_SHAPE = Problem(
    "no_area",
    "A shape is a mask, line, cuboid or skeleton, which are not read from CVAT's XML; export masks as COCO, "
    "or draw polygons, boxes or points.",
)


def find(path: Path, *, file: str | None = None, reader: str = "reader") -> Iterator[AnnotationItem]:
    """One item per image, frame and label. Raises ConfigError if the file is not one of CVAT, or empty."""
    chosen = source_file(path, file)
    with named(chosen):
        root = read_xml(chosen)
        if root.tag != "annotations":
            raise ConfigError(
                f"{chosen}: has no <annotations>; export it as CVAT for images or for video 1.1"
            )
        drawn = [*_of_images(root, reader), *_of_tracks(root, reader)]
    drawn += [word(label.text.strip(), reader) for label in root.iterfind("meta//label/name") if label.text]
    if not drawn:
        raise ConfigError(f"{chosen}: holds no image; name another file")
    yield from items_of("cvat", drawn)


def _of_images(root: Element, reader: str) -> Iterator[Drawn]:
    """The shapes and tags of "CVAT for images". Raises CaseError."""
    for image in root.iterfind("image"):
        name, size = image_key(attribute(image, "name")), size_of(image.get("height"), image.get("width"))
        yield looked_at(name, reader)
        for entry in image:
            label = attribute(entry, "label")
            if entry.tag == "tag":
                yield tag(name, label, reader)
            else:
                yield from (Drawn(name, label, shape, reader, size=size) for shape in _shapes(entry))


def _of_tracks(root: Element, reader: str) -> Iterator[Drawn]:
    """The shapes of "CVAT for video". Raises CaseError."""
    name, size = _video(root)
    for track in root.iterfind("track"):
        label = attribute(track, "label")
        for entry in track:
            if entry.tag != "attribute" and entry.get("outside") != "1":
                frame = round(number_of(entry, "frame"))
                for shape in _shapes(entry):
                    yield Drawn(name, label, shape, reader, frame, size)


def _video(root: Element) -> tuple[str, Shape | None]:
    """Name and size of the video."""
    for part in ("meta/task", "meta/job", "meta"):
        name = text_in(root, f"{part}/source")
        if name:
            size = size_of(
                root.findtext(f"{part}/original_size/height"), root.findtext(f"{part}/original_size/width")
            )
            return image_key(name), size
    return "", None


def _shapes(entry: Element) -> list[Geometry]:
    """The shape of an element; of one with several points, each."""
    if entry.tag != "points":
        return [usable(partial(_geometry, entry))]
    try:
        return [point_of(x, y) for x, y in _points(entry)]
    except CaseError as error:
        return [Problem(error.reason, error.message)]


def _geometry(entry: Element) -> Geometry:
    if entry.tag == "polygon":
        return polygon_of(_points(entry))
    turn = float(entry.get("rotation", 0))
    if entry.tag == "ellipse":
        return ellipse_of(*(number_of(entry, name) for name in ("cx", "cy", "rx", "ry")), degrees=turn)
    if entry.tag == "box":
        left, top, right, bottom = (number_of(entry, name) for name in ("xtl", "ytl", "xbr", "ybr"))
        if not turn:
            return box_of(left, top, right - left, bottom - top)
        middle = np.array([left + right, top + bottom]) / 2
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        return polygon_of(turned(corners - middle, turn) + middle)
    return OTHER_SHAPE


def _points(entry: Element) -> list[list[str]]:
    """The points "x,y;x,y". Raises CaseError."""
    points = [pair.split(",") for pair in attribute(entry, "points").split(";")]
    if any(len(pair) != 2 for pair in points):  # noqa: PLR2004  x and y
        raise CaseError("bad_polygon", "A shape has points that are not pairs of numbers; correct it.")
    return points


CVAT = AnnotationFormat(find=find, read=read_shapes, kind=None)

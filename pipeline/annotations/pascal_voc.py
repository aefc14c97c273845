"""Pascal VOC: one XML file per image with `object` and `bndbox`.

By its specification the first pixel is 1, and xmax and ymax are the last pixels of the box. Some tools write
edges that count from the image's corner instead; `origin` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.json_fields import usable
from pipeline.annotations.shapes import Drawn, Geometry, Problem, box_of, looked_at
from pipeline.annotations.tool_files import image_in, items_in
from pipeline.annotations.xml_fields import number_in, size_of, text_in
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.guards.xml_files import read_xml
from pipeline.records import AnnotationItem, Notice

VocOrigin: TypeAlias = Literal["one", "corner"]
FROM_ZERO = Problem(
    "bad_box",
    "A box begins at 0, but Pascal VOC counts pixels from 1; set origin: corner if its edges count from the "
    "image's corner.",
)
DIFFICULT = Notice(
    "warning",
    "annotations.sources",
    "Objects are marked as difficult, which Pascal VOC's own evaluation leaves out; they are read like all "
    "others.",
)


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    origin: VocOrigin = "one",
) -> Iterator[AnnotationItem]:
    """One item per image and object name of the files below `folder`.

    `origin`: the first pixel is "one", and the last one belongs to the box (Pascal VOC), or coordinates are
    edges that count from the image's "corner". Raises ConfigError if there are no files.
    """
    read = partial(_shapes, reader=reader, origin=origin)
    return items_in("pascal_voc", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, folder: str, *, reader: str, origin: VocOrigin) -> list[Drawn]:
    """The boxes of a file. Raises CaseError."""
    root = read_xml(file)
    if root.tag != "annotation":
        raise CaseError("annotation_unreadable", "has no <annotation>; export it again")
    image = image_in(folder, text_in(root, "filename") or file.stem)
    size = size_of(root.findtext("size/height"), root.findtext("size/width"))
    drawn = [
        Drawn(
            image,
            text_in(entry, "name"),
            usable(partial(_box, entry, origin)),
            reader,
            size=size,
            notices=(DIFFICULT,) if text_in(entry, "difficult") == "1" else (),
        )
        for entry in root.iter("object")
    ]
    return [looked_at(image, reader), *drawn]


def _box(entry: Element, origin: VocOrigin) -> Geometry:
    left, top, right, bottom = (
        number_in(entry, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")
    )
    if origin == "corner":
        return box_of(left, top, right - left, bottom - top)
    if min(left, top) < 1:
        return FROM_ZERO
    return box_of(left - 1, top - 1, right - left + 1, bottom - top + 1)


PASCAL_VOC = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

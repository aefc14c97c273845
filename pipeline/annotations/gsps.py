"""GSPS: graphics and overlays of DICOM presentation states, drawn on the images that they reference.

PS3.3, A.33 (the objects), C.10.5 (graphics), C.9.2 (overlays). Each part of an overlay of the type ROI is a
lesion. The finding is that of the source, else the layer's name. Texts are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from pydicom import Dataset

from pipeline.annotations.addresses import Address
from pipeline.annotations.dicom_files import (
    Named,
    bounded,
    items_of_kind,
    named_images,
    numbers_in,
    opened_header,
    text_in,
)
from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.graphics import graphics_of
from pipeline.annotations.json_fields import usables
from pipeline.annotations.overlay import shapes_on_images
from pipeline.annotations.shapes import Drawn, Geometry, Problem
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem

ON_DISPLAY = Problem(
    "bad_shape",
    "A graphic is placed on the display (units DISPLAY or MATRIX), not on its image; draw it in pixels.",
)


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    finding: str | None = None,
) -> Iterator[AnnotationItem]:
    """One item per image and finding of the presentation states below `folder`, whatever their file names.

    `finding` is that of all graphics; without it, the name of a graphic layer is the finding. Raises
    ConfigError if there are no presentation states.
    """
    read = partial(_shapes, reader=reader, finding=finding)
    return items_of_kind("gsps", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, _folder: str, *, reader: str, finding: str | None) -> list[Drawn]:
    """The graphics of a file. Raises CaseError."""
    with opened_header(file) as header:
        all_images = [
            image
            for series in header.get("ReferencedSeriesSequence") or ()
            for image in named_images(series.get("ReferencedImageSequence") or ())
        ]
        found = (
            Address(image.uid, image.frame).drawn(finding or text_in(one, "GraphicLayer"), shape, reader)
            for one in header.get("GraphicAnnotationSequence") or ()
            for image in _images(one, all_images)
            for graphic in one.get("GraphicObjectSequence") or ()
            for shape in usables(partial(_graphic, graphic))
        )
        overlays = (
            Address(image.uid, image.frame).drawn(word, shape, reader)
            for word, shape in shapes_on_images(header, finding)
            for image in all_images
        )
        drawn = list(bounded(chain(found, overlays)))
    if not drawn:
        raise CaseError("annotation_empty", "has no graphic or overlay of an image; export it again")
    return drawn


def _images(annotation: Dataset, all_images: list[Named]) -> list[Named]:
    """The images of a graphic annotation: those that it names, else all of the presentation state."""
    return named_images(annotation.get("ReferencedImageSequence") or ()) or all_images


def _graphic(graphic: Dataset) -> Iterator[Geometry]:
    if text_in(graphic, "GraphicAnnotationUnits") != "PIXEL":
        return iter((ON_DISPLAY,))
    kind, numbers = text_in(graphic, "GraphicType"), numbers_in(graphic, "GraphicData")
    return graphics_of(kind, numbers, filled=text_in(graphic, "GraphicFilled") == "Y")


GSPS = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

"""DICOM SR: regions and points of measurement reports (PS3.16, TID 1500, 1410, 1411, 1501).

The finding of a measurement group is the meaning of its code; each region in the group is an object. Regions
in pixels name their image, those in mm are found by their plane if they do not. A group without region says
that the only image that it names shows its finding. A group that refers to a segment is left out if the
report outlines the same finding on the same image, as reports do for viewers that show one form only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydicom import Dataset

from pipeline.annotations.addresses import addressed
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
from pipeline.annotations.graphics import graphics_in_patient, graphics_of
from pipeline.annotations.json_fields import usables
from pipeline.annotations.shapes import Drawn, Geometry, Problem, not_read, tag
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, file_stem

GROUP = ("125007", "DCM")
"""Measurement Group."""
FINDING = ("121071", "DCM")
SEGMENTS = {("121191", "DCM"), ("121214", "DCM")}
"""Referenced Segment, and Referenced Segmentation Frame."""
SOURCE = ("121233", "DCM")
"""Source Image for Segmentation."""
DEEPEST = 16
"""Levels of the content tree that are looked at; those of a measurement report have five."""
MATRIX = Problem(
    "bad_shape", "A region lies in the total matrix of a tiled image; export it in pixels of one frame."
)
WITHOUT_REGION = (
    "a measurement group has neither a region nor the finding of a single image, so that it is not read; "
    "export it with regions"
)
IN_SEGMENT = Problem(
    "segment_elsewhere",
    "A measurement refers to a segment of a DICOM SEG; put that file among the annotations, and leave this "
    "one out.",
)


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    finding: str | None = None,
) -> Iterator[AnnotationItem]:
    """One item per image and finding of the reports below `folder`, whatever their file names.

    `finding` is that of groups without a code. Raises ConfigError if there are no reports.
    """
    read = partial(_shapes, reader=reader, finding=finding)
    return items_of_kind("dicom_sr", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, _folder: str, *, reader: str, finding: str | None) -> list[Drawn]:
    """The regions of a file. Raises CaseError."""
    with opened_header(file) as header:
        found = (
            one
            for group in _groups(header)
            for one in _of_group(group, file_stem(file.name), reader, finding)
        )
        drawn = list(bounded(found))
    outlined = {(one.image, one.frame, one.finding) for one in drawn if not isinstance(one.geometry, Problem)}
    drawn = [
        one
        for one in drawn
        if one.geometry is not IN_SEGMENT or (one.image, one.frame, one.finding) not in outlined
    ]
    if not drawn:
        raise CaseError(
            "annotation_empty", "has no region in a measurement group; export it again, or remove it"
        )
    return drawn


def _groups(item: Dataset, depth: int = 0) -> Iterator[Dataset]:
    """The measurement groups in a content tree."""
    for child in item.get("ContentSequence") or ():
        if _concept(child) == GROUP:
            yield child
        elif depth < DEEPEST:
            yield from _groups(child, depth + 1)


def _of_group(group: Dataset, stem: str, reader: str, default: str | None) -> Iterator[Drawn]:
    content = list(group.get("ContentSequence") or ())
    codes = [item for item in content if _concept(item) == FINDING and item.get("ConceptCodeSequence")]
    finding = text_in(codes[0].ConceptCodeSequence[0], "CodeMeaning") if codes else default
    sources = [image for item in content if _concept(item) == SOURCE for image in _images(item)]
    kinds = {text_in(item, "ValueType") for item in content}
    if not kinds & {"SCOORD", "SCOORD3D"} and not any(_concept(item) in SEGMENTS for item in content):
        yield _without_region(content, finding, stem, reader)
    for item in content:
        if _concept(item) in SEGMENTS:
            address, shape = addressed(IN_SEGMENT, sources[:1], stem)
            yield address.drawn(finding, shape, reader)
        if text_in(item, "ValueType") not in {"SCOORD", "SCOORD3D"}:
            continue
        children = item.get("ContentSequence") or ()
        images = [image for child in children for image in _images(child)]
        for shape in usables(partial(_region, item)):
            address, placed = addressed(shape, images, stem)
            yield address.drawn(finding, placed, reader)


def _without_region(content: Sequence[Dataset], finding: str | None, stem: str, reader: str) -> Drawn:
    """What a group says of its only image, if it names one: that it shows the finding."""
    images = [image for item in content for image in _images(item)]
    if finding is None or len(images) != 1:
        return not_read(images[0].uid if images else stem, WITHOUT_REGION, reader)
    return replace(tag(images[0].uid, finding, reader), frame=images[0].frame)


def _region(item: Dataset) -> Iterator[Geometry]:
    kind, numbers = text_in(item, "GraphicType"), numbers_in(item, "GraphicData")
    if text_in(item, "ValueType") == "SCOORD3D":
        return graphics_in_patient(kind, numbers, text_in(item, "ReferencedFrameOfReferenceUID"))
    if text_in(item, "PixelOriginInterpretation") == "VOLUME":
        return iter((MATRIX,))
    return graphics_of(kind, numbers)


def _images(item: Dataset) -> list[Named]:
    """The images of an item of the content tree."""
    return named_images(item.get("ReferencedSOPSequence") or ())


def _concept(item: Dataset) -> tuple[str, str]:
    """Code and scheme of an item's concept name."""
    names = item.get("ConceptNameCodeSequence")
    return (
        (text_in(names[0], "CodeValue"), text_in(names[0], "CodingSchemeDesignator")) if names else ("", "")
    )


DICOM_SR = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

"""RTSTRUCT: contours of DICOM RT Structure Sets, in mm of the patient, on the images that they reference.

PS3.3, A.19, C.8.8.5 (ROIs) and C.8.8.6 (contours). An ROI's name is the finding. All contours of an ROI on
one image are one object, with a hole where one contour lies in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydicom import Dataset

from pipeline.annotations.addresses import Address, addressed
from pipeline.annotations.dicom_files import (
    bounded,
    items_of_kind,
    named_images,
    numbers_in,
    opened_header,
    text_in,
)
from pipeline.annotations.drawn import read_shapes
from pipeline.annotations.in_patient import mm_of
from pipeline.annotations.json_fields import usable
from pipeline.annotations.shapes import Drawn, Geometry, InPatient, Problem, looked_at, word
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, file_stem

ONE_POINT = 3
"""Coordinates of a point."""
CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
NO_AREA = Problem(
    "no_area", "A contour is open or spans several planes, so that it marks no area; close it in one plane."
)


def find(
    path: Path, executor: Executor | None = None, *, folder: str = "", reader: str = "reader"
) -> Iterator[AnnotationItem]:
    """One item per image and ROI name of the structure sets below `folder`, whatever their file names.

    Raises ConfigError if there are none.
    """
    read = partial(_shapes, reader=reader)
    return items_of_kind("rtstruct", path, read, folder=folder, reader=reader, executor=executor)


def _shapes(file: Path, _folder: str, *, reader: str) -> list[Drawn]:
    """The objects of a file. Raises CaseError."""
    with opened_header(file) as header:
        names = {int(roi.ROINumber): roi for roi in header.StructureSetROISequence}
        source = _Source(file_stem(file.name), reader)
        drawn = list(
            bounded(
                one
                for roi in header.get("ROIContourSequence") or ()
                for one in _of_roi(roi, names[int(roi.ReferencedROINumber)], source)
            )
        )
        listed = [looked_at(uid, reader) for uid in dict.fromkeys(_referenced(header))]
        words = [word(text_in(roi, "ROIName"), reader) for roi in names.values()]
    if not drawn:
        raise CaseError("annotation_empty", "has no contour; export it again, or remove it")
    return [*drawn, *bounded(listed), *words]


def _referenced(header: Dataset) -> Iterator[str]:
    """SOP instance UIDs of the images of the structure set, drawn on or not (PS3.3, C.8.8.5)."""
    for system in header.get("ReferencedFrameOfReferenceSequence") or ():
        for study in system.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                yield from (image.uid for image in named_images(series.get("ContourImageSequence") or ()))


class _Source(NamedTuple):
    """What all objects of a file have in common."""

    stem: str
    """Name of the file, where a contour names no image."""
    reader: str


def _of_roi(contours: Dataset, roi: Dataset, source: _Source) -> Iterator[Drawn]:
    """The objects of an ROI: all closed contours on one image, and each point."""
    name, system = text_in(roi, "ROIName"), text_in(roi, "ReferencedFrameOfReferenceUID")
    closed: dict[Address, list[InPatient]] = {}
    for contour in contours.get("ContourSequence") or ():
        shape = usable(partial(_shape, contour, system))
        images = named_images(contour.get("ContourImageSequence") or ())
        address, shape = addressed(shape, images, source.stem)
        if isinstance(shape, InPatient) and not shape.is_point:
            closed.setdefault(address, []).append(shape)
        else:
            yield address.drawn(name, shape, source.reader)
    for address, several in closed.items():
        joined = InPatient(tuple(contour for one in several for contour in one.contours), system)
        yield address.drawn(name, joined, source.reader)


def _shape(contour: Dataset, system: str) -> Geometry:
    kind = text_in(contour, "ContourGeometricType")
    if kind not in CLOSED and kind != "POINT":
        return NO_AREA
    numbers = numbers_in(contour, "ContourData")
    if kind == "POINT" and len(numbers) != ONE_POINT:
        raise CaseError("bad_point", "A point has other than three coordinates; export it again.")
    return InPatient((mm_of(numbers),), system, is_point=kind == "POINT")


RTSTRUCT = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)

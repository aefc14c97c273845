"""DICOM RT Structure Sets for tests, element by element as in PS3.3, A.19."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from pipeline.records import ImagePlane


class Contour(NamedTuple):
    """One contour in mm."""

    points: np.ndarray
    image: str | None = None
    """SOP instance UID of its image."""
    kind: str = "CLOSED_PLANAR"
    frame: int | None = None
    """Counted from 1."""


def in_mm(points: Iterable[Sequence[float]], plane: ImagePlane) -> np.ndarray:
    """Points (column, row) of an image in the patient, by the equation in PS3.3, C.7.6.2.1.1."""
    assert plane.position is not None
    assert plane.spacing_mm is not None
    columns, rows = np.array(points, float).T[..., None]
    (row_mm, column_mm) = plane.spacing_mm
    return plane.position + columns * column_mm * np.array(plane.along) + rows * row_mm * np.array(plane.down)


def write_structure_set(
    path: Path, rois: Mapping[str, Sequence[Contour]], *, frame_of_reference: str = ""
) -> None:
    """A structure set with the contours of each ROI."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    uid = generate_uid(entropy_srcs=[str(path)])
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = uid
    header.Modality = "RTSTRUCT"
    header.OperatorsName = "Roe^Jane"
    header.StructureSetROISequence, header.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(rois.items(), start=1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName = number, name
        roi.ReferencedFrameOfReferenceUID = frame_of_reference
        header.StructureSetROISequence.append(roi)
        several = Dataset()
        several.ReferencedROINumber = number
        several.ContourSequence = [_contour(contour) for contour in contours]
        header.ROIContourSequence.append(several)
    header.save_as(path, enforce_file_format=True)


def _contour(contour: Contour) -> Dataset:
    found = Dataset()
    found.ContourGeometricType = contour.kind
    found.NumberOfContourPoints = len(contour.points)
    found.ContourData = [f"{number:.5f}" for number in np.ravel(contour.points)]
    if contour.image:
        image = Dataset()
        image.ReferencedSOPInstanceUID = contour.image
        if contour.frame:
            image.ReferencedFrameNumber = contour.frame
        found.ContourImageSequence = [image]
    return found

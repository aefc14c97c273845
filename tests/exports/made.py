"""Studies to export: images of every modality with contours and maps of two findings by two methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from pipeline.contours.drawing import draw
from pipeline.exports.study import (
    Agreement,
    Concept,
    ExportedFinding,
    ExportedFrame,
    ExportedImage,
    ExportedRun,
    ExportedStudy,
)
from pipeline.geometry import resized, whole
from pipeline.records import Heatmap

PATIENT = "DOE^JANE"
PATIENT_ID = "MRN-4711"
ROOT = "1.2.826.0.1.3680043.8.498."
SHAPE = (64, 48)
"""Rows and columns: not square, so that swapped axes show."""
SPACING = (0.5, 0.25)
METHODS = ("gradcam", "integrated_gradients")
FINDINGS = ("nodule", "cyst with a name that is longer than the sixty-four characters of an LO in DICOM")

RUN = ExportedRun(
    run_id="model-0123abcd",
    created="2026-11-30",
    version="0.8.0",
    model="reference_model",
    model_version="0123456789ab",
    weights_sha256="0123456789ab" + "0" * 52,
    findings={
        FINDINGS[0]: Concept("SCT", "427359005", "Solitary nodule of lung"),
        FINDINGS[1]: Concept("99HEATPROOF", "F0123456789ABCDE", FINDINGS[1]),
    },
    verdicts={FINDINGS[0]: "better", FINDINGS[1]: "unknown"},
    methods=METHODS,
)


def study(modality: str, *, options: Mapping[str, str] | None = None) -> ExportedStudy:
    """A study of one modality of `MODALITIES`."""
    return ExportedStudy(RUN, "case-000000000000", MODALITIES[modality](), options or {})


def frame(
    case_id: str, number: int = 0, *, is_worst: bool = True, is_disputed: bool = False
) -> ExportedFrame:
    """A case with contours of both findings, those of the first by both methods, which overlap."""
    return ExportedFrame(
        case_id=case_id,
        frame=number,
        shape=SHAPE,
        spacing_mm=SPACING,
        findings=tuple(_finding(case_id, index) for index in range(len(FINDINGS))),
        picture=partial(_picture, number),
        is_worst=is_worst,
        is_disputed=is_disputed,
    )


def heatmap(case_id: str, finding: str, method: str, *, at: tuple[int, int]) -> Heatmap:
    """A map of 8 × 6 cells with one hot cell, which lies on the image edge to edge."""
    cells = np.full((8, 6), -0.25, np.float32)
    cells[at] = 1.5
    return Heatmap(case_id, finding, method, cells, "logit", resized(whole(SHAPE), (8, 6)))


def _finding(case_id: str, index: int) -> ExportedFinding:
    finding = FINDINGS[index]
    maps = tuple(
        heatmap(case_id, finding, method, at=(2 + 3 * index, 1 + shift))
        for shift, method in enumerate(METHODS[: 2 - index])
    )
    return ExportedFinding(
        finding=finding,
        probability=0.75 - index / 2,
        threshold=0.5,
        label=1 - index,
        contours=tuple(r for one in maps for r in draw(one, rule="fraction", threshold=0.5).regions),
        maps=maps,
        agreements=tuple(
            Agreement(one.method, reader, iou, "" if iou is not None else "no_reference")
            for one in maps
            for reader, iou in (("A", 0.25), ("B", None))
        ),
    )


def _picture(number: int) -> NDArray[np.uint8]:
    grey = np.linspace(0, 200, SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(np.uint8) + number
    return np.repeat(grey[..., None], 3, axis=2)


def header(sop_class: str, modality: str, *, number: int = 1) -> Dataset:
    """What every image has, as a loader leaves it: without pixel data."""
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.SOPClassUID = sop_class
    found.SOPInstanceUID = f"{ROOT}1.{number}"
    found.StudyInstanceUID = f"{ROOT}2"
    found.SeriesInstanceUID = f"{ROOT}3"
    found.Modality = modality
    found.PatientName, found.PatientID = PATIENT, PATIENT_ID
    found.PatientBirthDate, found.PatientSex = "19610203", "F"
    found.StudyDate, found.StudyTime, found.StudyID = "20240506", "070809", "S1"
    found.AccessionNumber, found.ReferringPhysicianName = "ACC-1", "ROE^RICHARD"
    found.InstitutionName, found.StationName = "St. Elsewhere", "ROOM-7"
    found.StudyDescription, found.SeriesDescription = "Chest", "Series of Jane Doe"
    found.Manufacturer, found.SeriesNumber, found.InstanceNumber = "Maker", "1", str(number)
    found.ImageType = ["ORIGINAL", "PRIMARY"]
    found.Rows, found.Columns = SHAPE
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated, found.BitsStored, found.HighBit, found.PixelRepresentation = 16, 12, 11, 0
    return found


def _projection(sop_class: str, modality: str) -> tuple[ExportedImage, ...]:
    """One radiograph: spacing at the detector, no frame of reference."""
    found = header(sop_class, modality)
    found.ImagerPixelSpacing = list(SPACING)
    found.PatientOrientation = ["L", "F"]
    found.ViewPosition = "PA"
    found.PresentationLUTShape = "IDENTITY"
    return (ExportedImage(found, (frame("case-aaaaaaaaaaaa"),)),)


def _slices(sop_class: str, modality: str) -> tuple[ExportedImage, ...]:
    """Three oblique slices of one series, the last without contours."""
    images = []
    for index in range(3):
        found = header(sop_class, modality, number=index + 1)
        found.FrameOfReferenceUID = f"{ROOT}4"
        found.PixelSpacing = list(SPACING)
        found.SliceThickness = "2.5"
        found.ImageOrientationPatient = [0.8, 0.6, 0, 0, 0, -1]
        found.ImagePositionPatient = [10.0 - 1.5 * index, -20.0 + 2.0 * index, 30.0]
        found.PositionReferenceIndicator = ""
        one = frame(f"case-{index}bbbbbbbbbbb", is_worst=index == 0)
        if index == len("ab"):
            one = _without_contours(one)
        images.append(ExportedImage(found, (one,)))
    return tuple(images)


def _ultrasound() -> tuple[ExportedImage, ...]:
    """A colour loop of four frames, of which the first and the third were audited."""
    found = header(UltrasoundMultiFrameImageStorage, "US")
    found.SamplesPerPixel, found.PhotometricInterpretation, found.PlanarConfiguration = 3, "RGB", 0
    found.BitsAllocated, found.BitsStored, found.HighBit = 8, 8, 7
    found.NumberOfFrames = "4"
    found.FrameTime = "40"
    return (ExportedImage(found, (frame("case-cccccccccc00"), frame("case-cccccccccc02", 2))),)


def _enhanced() -> tuple[ExportedImage, ...]:
    """An enhanced CT of two frames, whose planes stand in functional groups."""
    found = header(EnhancedCTImageStorage, "CT")
    found.FrameOfReferenceUID = f"{ROOT}4"
    found.NumberOfFrames = "2"
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), "2.5"
    measures.SpacingBetweenSlices = "2.5"
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    found.SharedFunctionalGroupsSequence = [shared]
    found.PerFrameFunctionalGroupsSequence = [_plane(index) for index in range(2)]
    return (ExportedImage(found, (frame("case-dddddddddd00"), frame("case-dddddddddd01", 1))),)


def _plane(index: int) -> Dataset:
    groups, position, content = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = [0.0, 0.0, 2.5 * index]
    content.StackID, content.InStackPositionNumber, content.DimensionIndexValues = (
        "1",
        index + 1,
        [1, index + 1],
    )
    groups.PlanePositionSequence, groups.FrameContentSequence = [position], [content]
    return groups


def _without_contours(found: ExportedFrame) -> ExportedFrame:
    return replace(found, findings=tuple(replace(one, contours=(), agreements=()) for one in found.findings))


MODALITIES: Mapping[str, Callable[[], tuple[ExportedImage, ...]]] = {
    "DX": partial(_projection, DigitalXRayImageStorageForPresentation, "DX"),
    "CR": partial(_projection, ComputedRadiographyImageStorage, "CR"),
    "MG": partial(_projection, DigitalMammographyXRayImageStorageForPresentation, "MG"),
    "US multi-frame": _ultrasound,
    "CT series": partial(_slices, CTImageStorage, "CT"),
    "MR series": partial(_slices, MRImageStorage, "MR"),
    "enhanced CT": _enhanced,
}
"""Name → images of one study."""

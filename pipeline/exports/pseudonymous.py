"""Pseudonymous headers: what geometry and display need of a header, with the run's pseudonyms as names."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import UID

from pipeline.exports.headers import UTF_8
from pipeline.exports.uids import uid_of

KEPT: Final = (
    "SOPClassUID", "Modality", "ImageType", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelAspectRatio", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "SpacingBetweenSlices", "PatientOrientation", "InstanceNumber", "ViewPosition", "ImageLaterality",
    "SequenceOfUltrasoundRegions", "DimensionIndexPointer", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "VOILUTSequence", "ModalityLUTSequence",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "PresentationLUTShape",
    "ShutterShape", "ShutterLeftVerticalEdge", "ShutterRightVerticalEdge", "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge", "CenterOfCircularShutter", "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter", "ShutterPresentationValue", "BurnedInAnnotation",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
"""Elements without identifiers that geometry and display need; UIDs and dates in them are removed."""
IDENTIFYING: Final = frozenset({"UI", "DA", "TM", "DT", "PN"})
"""Value representations that are removed from nested items."""
FREE_TEXT: Final = frozenset({"LUTExplanation"})
"""Elements of look-up tables that are removed, too."""
EMPTY: Final = (
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientBirthDate",
    "PatientSex",
)  # fmt: skip
"""Elements that objects must have, and that stay empty (type 2)."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """What stands in for the identifiers of an image: no hash of theirs, which could be found by trying."""

    run_id: str
    patient: str
    study: str
    series: str
    image: str


def pseudonymous(header: Dataset, names: Pseudonyms) -> Dataset:
    """A new header without identifiers: made of pseudonyms; dates are empty."""
    found = Dataset()
    for keyword in KEPT:
        if keyword in header:
            found[keyword] = deepcopy(header[keyword])
    found.walk(_remove_identifiers)
    found.SOPInstanceUID = UID(uid_of("image", names.run_id, names.image))
    found.StudyInstanceUID = UID(uid_of("study", names.run_id, names.study))
    found.SeriesInstanceUID = UID(uid_of("images", names.run_id, names.series))
    if "FrameOfReferenceUID" in header:
        found.FrameOfReferenceUID = UID(uid_of("frame of reference", names.run_id, names.study))
    found.PatientID = names.patient
    found.PatientName = f"{names.patient}^"  # the family name alone, as readers of PN expect it
    for keyword in EMPTY:
        setattr(found, keyword, "")
    found.SpecificCharacterSet = UTF_8
    found.PatientIdentityRemoved = "YES"
    found.DeidentificationMethod = "Heatproof: pseudonyms of the run, allow-list of elements"
    return found


def _remove_identifiers(dataset: Dataset, element: object) -> None:
    keyword = getattr(element, "keyword", "")
    if keyword in FREE_TEXT or (getattr(element, "VR", "") in IDENTIFYING and keyword != "SOPClassUID"):
        del dataset[element.tag]  # type: ignore[attr-defined]

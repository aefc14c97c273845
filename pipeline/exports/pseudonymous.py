"""Pseudonymous headers: what geometry and display need of a header, with the run's pseudonyms as names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import UID

from pipeline.exports.anatomy import BODY_PARTS, SIDES
from pipeline.exports.headers import UTF_8
from pipeline.exports.uids import uid_of

KEPT: Final = (
    "Modality", "ImageType", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelAspectRatio", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "SpacingBetweenSlices", "PatientOrientation", "InstanceNumber", "ViewPosition", "ImageLaterality",
    "Laterality", "BodyPartExamined",
    "SequenceOfUltrasoundRegions", "DimensionIndexPointer", "WindowCenter", "WindowWidth",
    "VOILUTFunction", "VOILUTSequence", "ModalityLUTSequence",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "PresentationLUTShape",
    "ShutterShape", "ShutterLeftVerticalEdge", "ShutterRightVerticalEdge", "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge", "CenterOfCircularShutter", "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter", "ShutterPresentationValue", "BurnedInAnnotation",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip
"""Elements that geometry and display need; `_cleaned` says with which values."""
RESCALE_TYPES: Final = frozenset(["OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"])
SEQUENCES: Final = frozenset({
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "FrameContentSequence",
    "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence",
    "PixelValueTransformationSequence", "FrameVOILUTSequence", "VOILUTSequence", "ModalityLUTSequence",
    "SequenceOfUltrasoundRegions",
})  # fmt: skip
"""Sequences that are kept, at every depth."""
NUMBERS: Final = frozenset({"DS", "IS", "FD", "FL", "US", "SS", "UL", "SL", "AT", "US or SS"})
"""Value representations of numbers."""
TABLES: Final = frozenset({"LUTData"})
TABLE_VRS: Final = frozenset({"US", "SS", "OW", "US or OW"})
TERMS: Final[Mapping[str, frozenset[str]]] = {
    "Modality": frozenset([
        "BI", "CR", "CT", "DX", "ES", "GM", "IO", "IVOCT", "IVUS", "MG", "MR", "NM", "OCT", "OP",
        "OPT", "OT", "PT", "PX", "RF", "RG", "SM", "US", "XA", "XC",
    ]),
    "ImageType": frozenset([
        "ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "LOCALIZER", "VOLUME", "RESAMPLED",
        "NONE", "M", "M_SE", "M_FFE", "P", "R", "I",
    ]),
    "PhotometricInterpretation": frozenset([
        "MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420",
        "YBR_ICT", "YBR_RCT", "PALETTE COLOR",
    ]),
    "PatientOrientation": frozenset(
        letters
        for count in (1, 2, 3)
        for parts in permutations("LRAPHF", count)
        if not any({*pair} <= {*parts} for pair in ("LR", "AP", "HF"))
        for letters in ("".join(parts),)
    ),
    "ViewPosition": frozenset(["AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "CC", "MLO", "ML", "LM"]),
    "ImageLaterality": frozenset(SIDES),
    "Laterality": frozenset(SIDES),
    "BodyPartExamined": frozenset(BODY_PARTS),
    "VOILUTFunction": frozenset({"LINEAR", "LINEAR_EXACT", "SIGMOID"}),
    "PresentationLUTShape": frozenset({"IDENTITY", "INVERSE"}),
    "ShutterShape": frozenset({"RECTANGULAR", "CIRCULAR", "POLYGONAL"}),
    "BurnedInAnnotation": frozenset({"YES", "NO"}),
    "LossyImageCompression": frozenset({"00", "01"}),
    "LossyImageCompressionMethod": frozenset(
        {"ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "ISO_13818_2", "ISO_14496_10"}
    ),
    "RescaleType": RESCALE_TYPES,
    "ModalityLUTType": RESCALE_TYPES,
}  # fmt: skip
"""Coded element → its values that are kept: any other may be a name."""
OTHERWISE: Final = {"Modality": "OT", "RescaleType": "US", "ModalityLUTType": "US"}
"""Of elements that have to have a value: what says "other" or "unspecified"."""
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
    frame_of_reference: str = ""
    """Empty: that of the series, since images of one series seldom have several."""


def pseudonymous(header: Dataset, names: Pseudonyms) -> Dataset:
    """A new header without identifiers: made of pseudonyms; dates are empty."""
    found = Dataset()
    if "SOPClassUID" in header:
        found.SOPClassUID = header.SOPClassUID
    found.update(_cleaned(header, KEPT))
    found.SOPInstanceUID = UID(uid_of("image", names.run_id, names.image))
    found.StudyInstanceUID = UID(uid_of("study", names.run_id, names.study))
    found.SeriesInstanceUID = UID(uid_of("images", names.run_id, names.series))
    if "FrameOfReferenceUID" in header:
        found.FrameOfReferenceUID = UID(
            uid_of("frame of reference", names.run_id, names.frame_of_reference or names.series)
        )
    found.PatientID = names.patient
    found.PatientName = f"{names.patient}^"  # the family name alone, as readers of PN expect it
    for keyword in EMPTY:
        setattr(found, keyword, "")
    found.SpecificCharacterSet = UTF_8
    found.PatientIdentityRemoved = "YES"
    found.DeidentificationMethod = "Heatproof: pseudonyms of the run, allow-list of elements"
    return found


def _cleaned(dataset: Dataset, keywords: Iterable[str] | None = None) -> Dataset:
    """Numbers, tables, known terms and sequences of them, of these elements or of all; no private ones."""
    found = Dataset()
    for keyword in dataset.dir() if keywords is None else keywords:
        if keyword not in dataset:
            continue
        element = dataset[keyword]
        vr = dictionary_VR(element.tag)
        if keyword in SEQUENCES and element.VR == "SQ":
            setattr(found, keyword, [_cleaned(item) for item in element.value])
        elif keyword in TERMS:
            stated = element.value if element.VM > 1 else [element.value]
            if all(str(value) in TERMS[keyword] for value in stated):
                found[keyword] = deepcopy(element)
            elif keyword in OTHERWISE:
                setattr(found, keyword, OTHERWISE[keyword])
        elif (vr in NUMBERS and element.VR in NUMBERS) or (keyword in TABLES and element.VR in TABLE_VRS):
            found[keyword] = deepcopy(element)
    return found

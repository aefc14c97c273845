"""Header: a DICOM file → its images, without reading pixels."""

from __future__ import annotations

import re
from dataclasses import replace

from pydicom.dataset import Dataset
from pydicom.uid import UID

from pipeline.errors import CaseError
from pipeline.loaders.dataset import read_elements, refusing
from pipeline.loaders.elements import Warn, code, integer, is_empty, text, unused, values
from pipeline.loaders.image_files import ImageFile
from pipeline.loaders.masks import DESCRIPTIONS, refuse_masks
from pipeline.loaders.pixels import UNKNOWN_TRANSFER_SYNTAX, decodable
from pipeline.loaders.planes import PLANE_KEYWORDS, plane_in
from pipeline.loaders.spacing import aspect_ratio
from pipeline.loaders.terms import (
    BODY_PARTS,
    LATERALITIES,
    MODALITIES,
    PHOTOMETRIC,
    VIEWS,
    known_manufacturer,
    listed,
)
from pipeline.loaders.truncation import (
    AvailablePixels,
    is_complete,
    native_bytes,
    refuse_frames_without_pixels,
)
from pipeline.records import ImageSource
from pipeline.records.names import PRODUCT

MOST_FRAMES = 2**16
"""Upper limit, because each frame is an image; a larger number means a broken header or a scanned slide."""
OLDEST_SHOWN = 90
"""Years; ages from here on can identify a patient and are shown as "90+" (45 CFR 164.514(b)(2)(i)(C))."""
SERIES_DIGITS = 5
"""Most digits of a series number that is shown: longer ones may be a date or a time."""
YES_OR_NO = frozenset({"YES", "NO"})
PATIENT_SEXES = frozenset(["M", "F", "O"])
NOT_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose grid",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
}
"""SOP classes with pixel data that are not images."""
NOT_IMAGE_MODALITIES = {"SEG": "a segmentation", "RTDOSE": "a dose grid"}
_INTEGER_PIXELS = 0x7FE00010
_KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "StudyDate",
    "PatientID",
    "IssuerOfPatientID",
    "PatientSex",
    "PatientAge",
    "SeriesNumber",
    "Modality",
    "ViewPosition",
    "ImageLaterality",
    "Laterality",
    "Manufacturer",
    "ManufacturerModelName",
    "BodyPartExamined",
    "PhotometricInterpretation",
    "PixelAspectRatio",
    "BurnedInAnnotation",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "NumberOfFrames",
    "Rows",
    "Columns",
    *DESCRIPTIONS,
    *PLANE_KEYWORDS,
]
_DATE = re.compile(r"\d{8}|\d{4}\.\d{2}\.\d{2}")
"""A date (DA), PS3.5, 6.2, in its present and its former form."""


def read_header(opened: ImageFile) -> tuple[ImageSource, ...]:
    """The images of a DICOM file, one per frame.

    Raises CaseError: "unreadable", "not_dicom", "not_an_image", "no_pixels", "float_pixels",
    "unknown_transfer_syntax", "incomplete_header", "too_large", "pixel_data_mismatch", "decode_failed".
    """
    dataset, available = read_elements(opened.file, _KEYWORDS)
    with refusing("unreadable", "a value in the header cannot be read"):
        pixels = _refuse_non_images(dataset, available)
        refuse_masks(dataset, opened)
        rows, columns, frames = (
            integer(dataset, name, default=default)
            for name, default in (("Rows", 0), ("Columns", 0), ("NumberOfFrames", 1))
        )
        if not code(dataset, "PhotometricInterpretation"):
            raise CaseError(
                "incomplete_header",
                "Photometric Interpretation is missing, so it is unknown which values are bright; "
                "export the file again",
            )
        _refuse_sizes(rows, columns, frames)
        complete = _is_complete(dataset, pixels, rows * columns, max(frames, 1))
        first = opened.source(
            uid=text(dataset, "SOPInstanceUID"),
            patient=_patient(dataset),
            has_patient_id=bool(text(dataset, "PatientID")),
            frames=max(frames, 1),
            shape=(rows, columns),
            whole=complete,
            attributes=_attributes(dataset),
            study_date=text(dataset, "StudyDate"),
            plane=plane_in(dataset) if frames <= 1 else None,
        )
        return tuple(replace(first, frame=frame) for frame in range(max(frames, 1)))


def _refuse_non_images(dataset: Dataset, pixels: AvailablePixels | None) -> AvailablePixels:
    sop_class = UID(text(dataset, "SOPClassUID") or str(dataset.file_meta.get("MediaStorageSOPClassUID", "")))
    kind = NOT_IMAGES.get(sop_class) or NOT_IMAGE_MODALITIES.get(code(dataset, "Modality"))
    if kind:
        raise CaseError("not_an_image", f"the file is {kind}, not an image")
    if text(dataset, "Manufacturer") == PRODUCT:
        raise CaseError("own_result", f"the file is a result that {PRODUCT} exported, not an image")
    if pixels is None and "Storage" in sop_class.name and "Image Storage" not in sop_class.name:
        raise CaseError("not_an_image", f"the file is not an image, its SOP class is {sop_class.name}")
    if pixels is None:
        raise CaseError("no_pixels", "the file has no pixel data")
    if pixels.tag != _INTEGER_PIXELS:
        raise CaseError(
            "float_pixels", "the pixels are floating point numbers; export the image with integer pixels"
        )
    if not decodable(UID(dataset.file_meta.TransferSyntaxUID)):
        raise CaseError("unknown_transfer_syntax", UNKNOWN_TRANSFER_SYNTAX)
    return pixels


def _refuse_sizes(rows: int, columns: int, frames: int) -> None:
    if rows < 1 or columns < 1 or frames < 0:
        raise CaseError(
            "incomplete_header",
            "Rows, Columns or Number of Frames is missing or not positive; export the file again",
        )
    if frames > MOST_FRAMES:
        raise CaseError(
            "too_large", f"the file announces {frames} frames, at most {MOST_FRAMES} are accepted; split it"
        )


def _is_complete(dataset: Dataset, available: AvailablePixels, pixels: int, frames: int) -> bool:
    """Whether all pixel data are present. Raises CaseError if the file cannot contain all its frames."""
    encapsulated = UID(dataset.file_meta.TransferSyntaxUID).is_encapsulated
    needed = native_bytes(
        pixels=pixels * frames,
        samples=integer(dataset, "SamplesPerPixel", default=1),
        bits=integer(dataset, "BitsAllocated", default=1),
        photometric=code(dataset, "PhotometricInterpretation"),
    )
    refuse_frames_without_pixels(available, encapsulated=encapsulated, frames=frames, needed_bytes=needed)
    return is_complete(available, encapsulated=encapsulated, frames=frames, needed_bytes=needed)


def _patient(dataset: Dataset) -> str:
    """Issuer and Patient ID, else the Study Instance UID; empty if both are absent."""
    identifier, issuer = text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID")
    if identifier:
        return f"{issuer}:{identifier}" if issuer else identifier
    return text(dataset, "StudyInstanceUID")


def _attributes(dataset: Dataset) -> dict[str, str]:
    """The allow-listed attributes: codes only if listed in `terms`; the device as free text.

    `cohort.index` replaces the free text with pseudonyms.
    """
    manufacturer = text(dataset, "Manufacturer")
    found = {
        "modality": listed(code(dataset, "Modality"), MODALITIES),
        "view": listed(code(dataset, "ViewPosition"), VIEWS),
        "laterality": listed(code(dataset, "ImageLaterality") or code(dataset, "Laterality"), LATERALITIES),
        "sex": listed(code(dataset, "PatientSex"), PATIENT_SEXES),
        "age": age_shown(code(dataset, "PatientAge")),
        "series": _series(dataset),
        "manufacturer": known_manufacturer(manufacturer) or manufacturer,
        "model": text(dataset, "ManufacturerModelName"),
        "body_part": listed(code(dataset, "BodyPartExamined"), BODY_PARTS),
        "photometric": listed(code(dataset, "PhotometricInterpretation"), PHOTOMETRIC),
        "transfer_syntax": UID(dataset.file_meta.TransferSyntaxUID).name,
        "bits_stored": _whole(dataset, "BitsStored"),
        "pixel_aspect_ratio": aspect_ratio(dataset),
        "burned_in_annotation": listed(code(dataset, "BurnedInAnnotation"), YES_OR_NO),
    }
    return {name: value for name, value in found.items() if value}


def _series(dataset: Dataset) -> str:
    """The series number; empty if it is so long that it may be a date or a time."""
    number = _whole(dataset, "SeriesNumber")
    return number if len(number) <= SERIES_DIGITS else ""


def _whole(dataset: Dataset, keyword: str) -> str:
    """The first value as a whole number; empty if it is absent, 0 or not a number."""
    found = values(dataset, keyword)
    return str(int(found[0])) if found and found[0] else ""


def warn_of_attributes(dataset: Dataset, warn: Warn) -> None:
    """Warn of attributes that have a value, but none that can be shown."""
    if not is_empty(dataset, "PatientAge") and not age_shown(code(dataset, "PatientAge")):
        warn(unused("PatientAge", "is not an age such as 063Y"))
    if not is_empty(dataset, "StudyDate") and not _DATE.fullmatch(text(dataset, "StudyDate")):
        warn(unused("StudyDate", "is not a date such as 20240131"))
    ratio = values(dataset, "PixelAspectRatio")
    if (
        ratio
        and not is_empty(dataset, "PixelAspectRatio")
        and not all(value and value > 0 for value in ratio)
    ):
        warn(unused("PixelAspectRatio", "is not two positive numbers"))


def age_shown(age_string: str) -> str:
    """Whole years, as in a report, of an age such as 063Y, 018M, 006W or 003D; empty if it is malformed."""
    years_per_unit = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
    digits, unit = age_string[:-1], age_string[-1:]
    if unit not in years_per_unit or not digits.isdigit():
        return ""
    years = int(int(digits) * years_per_unit[unit] + 1e-9)
    return f"{OLDEST_SHOWN}+" if years >= OLDEST_SHOWN else str(years)

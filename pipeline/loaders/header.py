"""Header: a file → its images, without reading a pixel."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import UID

from pipeline.errors import CaseError
from pipeline.loaders.dataset import open_header, refusing
from pipeline.loaders.elements import code, integer, text
from pipeline.loaders.pixels import decodable
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
from pipeline.loaders.wholeness import HeldPixels, is_whole, native_bytes, refuse_frames_without_pixels
from pipeline.records import ImageSource

MOST_FRAMES = 2**16
"""Each frame is an image; a larger number is a broken header or a scanned slide."""
OLDEST_SHOWN = 90
"""Years; from here on an age identifies, so it is given as "90+" (45 CFR 164.514(b)(2)(i)(C))."""
YES_OR_NO = frozenset({"YES", "NO"})
PATIENT_SEXES = frozenset(["M", "F", "O"])
NOT_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose grid",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
}
"""SOP classes that have pixels but show nothing to a classifier."""
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
]


def read_header(path: Path, *, root: Path) -> tuple[ImageSource, ...]:
    """The images of a file below `root`, one a frame.

    Raises CaseError: "not_a_file", "unreadable", "not_dicom", "not_an_image", "no_pixels", "float_pixels",
    "unknown_transfer_syntax", "incomplete_header", "too_large", "pixel_data_mismatch", "decode_failed".
    """
    status = _status(path)
    dataset, found, fingerprint = open_header(path, _KEYWORDS)
    with refusing("unreadable", "a value in the header cannot be read"):
        pixels = _refuse_what_is_no_image(dataset, found)
        rows, columns, frames = (
            integer(dataset, name, default=default)
            for name, default in (("Rows", 0), ("Columns", 0), ("NumberOfFrames", 1))
        )
        if not code(dataset, "PhotometricInterpretation"):
            raise CaseError(
                "incomplete_header", "Photometric Interpretation is missing: what is bright is unknown"
            )
        _refuse_sizes(rows, columns, frames)
        whole = _wholeness(dataset, pixels, rows * columns, max(frames, 1))
        relative_path = _printable(path.relative_to(root).as_posix())
        attributes = _attributes(dataset)
        uid = text(dataset, "SOPInstanceUID")
        return tuple(
            ImageSource(
                path=str(path.absolute()),
                relative_path=relative_path,
                sop_instance_uid=uid,
                patient=_patient(dataset) or uid or relative_path,
                frame=frame,
                frames=max(frames, 1),
                shape=(rows, columns),
                size_bytes=status.st_size,
                modified_ns=status.st_mtime_ns,
                fingerprint=fingerprint,
                changed_ns=status.st_ctime_ns,
                inode=status.st_ino,
                whole=whole,
                attributes=attributes,
                study_date=text(dataset, "StudyDate"),
            )
            for frame in range(max(frames, 1))
        )


def _status(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise CaseError("unreadable", f"the file cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise CaseError("not_a_file", "a folder that cannot be listed, or no regular file")
    return status


def _refuse_what_is_no_image(dataset: Dataset, pixels: HeldPixels | None) -> HeldPixels:
    sop_class = UID(text(dataset, "SOPClassUID") or str(dataset.file_meta.get("MediaStorageSOPClassUID", "")))
    kind = NOT_IMAGES.get(sop_class) or NOT_IMAGE_MODALITIES.get(code(dataset, "Modality"))
    if kind:
        raise CaseError("not_an_image", f"the object is {kind}")
    if pixels is None and "Storage" in sop_class.name and "Image Storage" not in sop_class.name:
        raise CaseError("not_an_image", f"the object is of another kind: {sop_class.name}")
    if pixels is None:
        raise CaseError("no_pixels", "the file holds no pixel data")
    if pixels.tag != _INTEGER_PIXELS:
        raise CaseError("float_pixels", "the pixels are floating point numbers, which no image to read has")
    if not decodable(UID(dataset.file_meta.TransferSyntaxUID)):
        raise CaseError("unknown_transfer_syntax", "there is no decoder for the file's transfer syntax")
    return pixels


def _refuse_sizes(rows: int, columns: int, frames: int) -> None:
    if rows < 1 or columns < 1 or frames < 0:
        raise CaseError("incomplete_header", "Rows, Columns or Number of Frames is missing or not positive")
    if frames > MOST_FRAMES:
        raise CaseError("too_large", f"the file announces {frames} frames, at most {MOST_FRAMES} are taken")


def _wholeness(dataset: Dataset, held: HeldPixels, pixels: int, frames: int) -> bool:
    """Whether all pixels are there; frames that no file of this size can hold are refused."""
    encapsulated = UID(dataset.file_meta.TransferSyntaxUID).is_encapsulated
    needed = native_bytes(
        pixels=pixels * frames,
        samples=integer(dataset, "SamplesPerPixel", default=1),
        bits=integer(dataset, "BitsAllocated", default=1),
        photometric=code(dataset, "PhotometricInterpretation"),
    )
    refuse_frames_without_pixels(held, encapsulated=encapsulated, frames=frames, needed_bytes=needed)
    return is_whole(held, encapsulated=encapsulated, frames=frames, needed_bytes=needed)


def _printable(path: str) -> str:
    """The path as text that any file can hold: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _patient(dataset: Dataset) -> str:
    """Patient ID after its issuer, else the study; empty where both are absent."""
    identifier, issuer = text(dataset, "PatientID"), text(dataset, "IssuerOfPatientID")
    if identifier:
        return f"{issuer}:{identifier}" if issuer else identifier
    return text(dataset, "StudyInstanceUID")


def _attributes(dataset: Dataset) -> dict[str, str]:
    """The allow-list. Of codes only listed terms; words for the device are free text, see `joints.intake`."""
    manufacturer = text(dataset, "Manufacturer")
    found = {
        "modality": listed(code(dataset, "Modality"), MODALITIES),
        "view": listed(code(dataset, "ViewPosition"), VIEWS),
        "laterality": listed(code(dataset, "ImageLaterality") or code(dataset, "Laterality"), LATERALITIES),
        "sex": listed(code(dataset, "PatientSex"), PATIENT_SEXES),
        "age": _age(code(dataset, "PatientAge")),
        "manufacturer": known_manufacturer(manufacturer) or manufacturer,
        "model": text(dataset, "ManufacturerModelName"),
        "body_part": listed(code(dataset, "BodyPartExamined"), BODY_PARTS),
        "photometric": listed(code(dataset, "PhotometricInterpretation"), PHOTOMETRIC),
        "transfer_syntax": UID(dataset.file_meta.TransferSyntaxUID).name,
        "bits_stored": str(integer(dataset, "BitsStored", default=0) or ""),
        "pixel_aspect_ratio": aspect_ratio(dataset),
        "burned_in_annotation": listed(code(dataset, "BurnedInAnnotation"), YES_OR_NO),
    }
    return {name: value for name, value in found.items() if value}


def _age(written: str) -> str:
    """Whole years of an age string such as 063Y, 018M, 006W or 003D; empty where it is none."""
    years_in = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
    digits, unit = written[:-1], written[-1:]
    if unit not in years_in or not digits.isdigit():
        return ""
    years = int(int(digits) * years_in[unit] + 1e-9)
    return f"{OLDEST_SHOWN}+" if years >= OLDEST_SHOWN else str(years)

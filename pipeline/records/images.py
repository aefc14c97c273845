"""Images: the file of an image, and its decoded pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.records.arrays import Intensity, Shape
from pipeline.records.planes import Directions, ImagePlane, SpacingAt

IMAGE_SUFFIXES = (
    ".dcm", ".dicom", ".dic", ".dc3", ".ima", ".img", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp",
    ".nii.gz", ".nii", ".nrrd", ".mha",
)  # fmt: skip
"""Suffixes of image files. Other endings belong to the name, as in "IM.0001" and in SOP instance UIDs."""


def file_stem(name: str) -> str:
    """A file's name without folders and image suffixes: "a/17.png.dcm" → "17", "a/IM.0001" → "IM.0001"."""
    stem = name.rsplit("/", 1)[-1]
    while suffix := next((one for one in IMAGE_SUFFIXES if stem[1:].lower().endswith(one)), ""):
        stem = stem[: -len(suffix)]
    return stem


Packing: TypeAlias = Literal["stored", "deflate", "gzip"]
"""How the bytes of a member lie in its archive: as they are, deflated, or in a gzip stream of all."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, and where its bytes are."""

    name: str
    """Path in the archive."""
    packing: Packing
    start: int
    """Offset of its bytes; of a gzip stream: in what it unpacks to. ZIP: of its local header."""
    packed_bytes: int
    size_bytes: int
    checksum: int | None = None
    """CRC-32 of its bytes; None if the archive has none."""
    problem: str = ""
    """Reason for which it is not read, a key of `loaders.archives.PROBLEMS`; empty if it is."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One frame of a file. Of a run's outputs, only `crosswalk.csv` contains its identifiers."""

    path: str
    """Absolute path of the file."""
    relative_path: str
    """Path below the study folder, with forward slashes."""
    sop_instance_uid: str
    """Empty if the header has none."""
    patient: str
    """Patient ID with its issuer; if absent, the study, then the file. Resampling is by patient."""
    frame: int
    """Index of the frame, counted from 0."""
    frames: int
    shape: Shape
    size_bytes: int
    modified_ns: int
    fingerprint: str = ""
    """`loaders.dataset.fingerprint` of the file when it was listed; empty: changes are not detected."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Allow-listed: modality, view, laterality, sex, age, series, manufacturer, model, body_part,
    photometric, transfer_syntax, bits_stored, file_format (only if the file is not DICOM)."""
    study_date: str = ""
    """Date as in the header; never written to an output."""
    changed_ns: int = 0
    """Time of the last change of contents or metadata (ctime), which no program can set."""
    whole: bool = True
    """Whether the file holds all the pixel data that its header announces, see `loaders.truncation`."""
    plane: ImagePlane | None = None
    """Where the image lies in the patient; None: its header does not say, or it has several frames."""
    has_patient_id: bool = True
    """Whether the header, or the table of the studies, has a Patient ID."""
    member: Member | None = None
    """The image's file in the archive at `path`; None if that is the image's file."""
    spacing_mm: tuple[float, float] | None = None
    """Spacing (row, column) by the table of the studies, which counts where the file states none."""
    by_table: bool = False
    """Whether that table has a row for the image."""

    @property
    def stem(self) -> str:
        """`file_stem` of the file. Annotations may name the image by it if no other file has it."""
        return file_stem(self.relative_path)


@dataclass(frozen=True, slots=True)
class Display:
    """Values at full depth for the viewer, with the window that is set at first."""

    values: NDArray[np.uint8 | np.uint16]
    """(rows, columns), bright = dense or bright tissue."""
    low: float
    """Value shown as black."""
    high: float
    """Value shown as white."""
    slope: float | None = None
    """value × slope + intercept is in the unit of the modality; None if unknown."""
    intercept: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Caution:
    """A warning about the results of an audited image, without identifiers."""

    reason: str
    """A short code in snake_case."""
    message: str


@dataclass(frozen=True, slots=True)
class Image:
    """One decoded image."""

    case_id: str
    pixels: Intensity
    """0 … 1, bright = dense or bright tissue."""
    spacing_mm: tuple[float, float] | None
    """Distance between neighbouring pixel centres (down a column, along a row); None if unknown."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    """Hash of the bytes of the decoded file."""
    display: Display | None = None
    """None if no page shows the image."""
    cautions: tuple[Caution, ...] = ()
    """What the file states otherwise than it was read, and what of it could not be used."""
    directions: Directions | None = None
    """None: the file does not say."""
    spacing_at: SpacingAt = ""
    step: int = 1
    """Distance of the image's rows and columns that `pixels` has, from the first on; 1: it has all."""

    @property
    def shape(self) -> Shape:
        """(rows, columns) of the pixels."""
        rows, columns = self.pixels.shape
        return rows, columns


def pixel_hash(pixels: Intensity) -> str:
    """A hash of an image's brightness (rows, columns), 0 … 1, independent of the file format."""
    rounded = np.rint(pixels * BRIGHTNESSES).astype(np.uint16)
    return hashlib.sha256(repr(pixels.shape).encode() + rounded.tobytes()).hexdigest()


BRIGHTNESSES = 65535
"""Number of steps to which brightness is rounded, because decoders may differ in the last bit of a float."""

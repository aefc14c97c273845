"""Description: the elements that describe pixel data, reconciled with what the pixel data are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from pipeline.errors import CaseError
from pipeline.loaders.codestream import Codestream
from pipeline.loaders.elements import Warn, code, integer, is_empty, name_of
from pipeline.loaders.truncation import native_bytes
from pipeline.records import Caution

BITS_CONTRADICTION = "bits_contradiction"
"""Reason of a caution: header and pixel data state different bits."""
_JPEG_BITS = (8, 12)
"""Bits per sample that a lossy JPEG frame can have, T.81, B.2.2."""


@dataclass(frozen=True, slots=True)
class Description:
    """How the pixel data of one frame are decoded. PS3.3, C.7.6.3."""

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    signed: bool
    planar: int

    def options(self) -> dict[str, object]:
        """As options of a pydicom decoder, which replace the header's elements."""
        return {
            "samples_per_pixel": self.samples,
            "photometric_interpretation": self.photometric,
            "bits_allocated": self.bits_allocated,
            "bits_stored": self.bits_stored,
            "pixel_representation": int(self.signed),
            "planar_configuration": self.planar,
        }

    def __str__(self) -> str:
        sign = "signed" if self.signed else "unsigned"
        return (
            f"{self.rows} × {self.columns} pixels × {self.samples}, {self.photometric}, "
            f"Bits Allocated {self.bits_allocated}, Bits Stored {self.bits_stored}, {sign}"
        )


def description(dataset: Dataset, stream: Codestream | None, *, warn: Warn) -> Description:
    """The description of a frame by its header and its codestream (None: it has none).

    Raises CaseError "pixel_data_mismatch" if an element is missing or contradicts another.
    """
    samples = stream.extent[2] if stream else _needed(dataset, "SamplesPerPixel")
    found = Description(
        rows=integer(dataset, "Rows", default=0),
        columns=integer(dataset, "Columns", default=0),
        samples=samples,
        photometric=code(dataset, "PhotometricInterpretation"),
        bits_allocated=_needed(dataset, "BitsAllocated"),
        bits_stored=_needed(dataset, "BitsStored"),
        signed=_signed(dataset, warn),
        planar=_planar(dataset, stream, samples),
    )
    if stream:
        return _of_codestream(found, stream, warn=warn)
    if not 0 < found.bits_stored <= found.bits_allocated:
        raise _mismatch(
            f"Bits Stored is {found.bits_stored}, but has to be positive and at most Bits Allocated, "
            f"which is {found.bits_allocated}"
        )
    return found


def matching_length(dataset: Dataset, described: Description, *, warn: Warn) -> Description:
    """The description of pixel data that are not compressed, if they have its number of bytes.

    Raises CaseError "pixel_data_mismatch" if they have fewer bytes.
    """
    frames = max(1, integer(dataset, "NumberOfFrames", default=1))
    found, needed = len(dataset.PixelData), _needed_bytes(described, frames)
    full = replace(described, photometric="YBR_FULL")
    if described.photometric == "YBR_FULL_422" and found == _padded(_needed_bytes(full, frames)):
        warn(
            Caution(
                "colour_contradiction",
                "Photometric Interpretation is YBR_FULL_422, but the pixel data have as many bytes as "
                "YBR_FULL, and were read so",
            )
        )
        return full
    if found < needed:
        raise _mismatch(f"the pixel data have {found} bytes, but {described} needs {needed}")
    if found >= 2 * needed > 2:  # noqa: PLR2004 – twice, and more than a padding byte
        warn(
            Caution(
                "pixel_data_left_over",
                f"the pixel data have {found} bytes, but {described} needs {needed}, which were read",
            )
        )
    return described


def _of_codestream(found: Description, stream: Codestream, *, warn: Warn) -> Description:
    """The description with the bits of the codestream where the header's cannot be."""
    if stream.family == "JPEG":
        if stream.bits not in _JPEG_BITS:
            raise _mismatch(f"the JPEG frame has {stream.bits} bits per sample, 8 or 12 are possible")
        allocated = 8 * -(-stream.bits // 8)
        if found.bits_stored > stream.bits or found.bits_allocated != allocated:
            warn(
                Caution(
                    BITS_CONTRADICTION,
                    f"Bits Stored is {found.bits_stored} and Bits Allocated {found.bits_allocated}, but the "
                    f"JPEG frame has {stream.bits} bits per sample, with which it was read",
                )
            )
        if found.signed:
            message = (
                "Pixel Representation is 1 (signed), but samples of a lossy JPEG frame are unsigned; their "
                "upper half was read as negative"
            )
            warn(Caution(BITS_CONTRADICTION, message))
        stored = min(found.bits_stored, stream.bits) or stream.bits
        return replace(found, bits_allocated=allocated, bits_stored=stored)
    if found.bits_stored < 1:
        raise _mismatch(f"Bits Stored is {found.bits_stored}, but has to be positive")
    if found.bits_stored > stream.bits:
        warn(
            Caution(
                BITS_CONTRADICTION,
                f"Bits Stored is {found.bits_stored}, but the {stream.family} frame has {stream.bits} bits "
                "per sample; brightness is relative to Bits Stored",
            )
        )
    return replace(found, bits_allocated=_word(max(found.bits_stored, stream.bits)))


def _word(bits: int) -> int:
    """The smallest word of 8, 16, 32 or 64 bits that holds `bits`."""
    return next((word for word in (8, 16, 32) if bits <= word), 64)


def _needed(dataset: Dataset, keyword: str) -> int:
    if is_empty(dataset, keyword):
        raise _mismatch(f"{name_of(keyword)} is missing")
    return integer(dataset, keyword, default=0)


def _signed(dataset: Dataset, warn: Warn) -> bool:
    if is_empty(dataset, "PixelRepresentation"):
        message = "Pixel Representation is missing; the values were read as unsigned"
        warn(Caution("element_missing", message))
        return False
    return bool(integer(dataset, "PixelRepresentation", default=0))


def _planar(dataset: Dataset, stream: Codestream | None, samples: int) -> int:
    """Planar Configuration, which codestreams and RLE state themselves."""
    if stream or samples == 1 or dataset.file_meta.TransferSyntaxUID == RLELossless:
        return 0
    return _needed(dataset, "PlanarConfiguration")


def _needed_bytes(described: Description, frames: int) -> int:
    return native_bytes(
        pixels=described.rows * described.columns * frames,
        samples=described.samples,
        bits=described.bits_allocated,
        photometric=described.photometric,
    )


def _padded(length: int) -> int:
    return length + length % 2


def _mismatch(found: str) -> CaseError:
    return CaseError("pixel_data_mismatch", f"{found}; export the file again")

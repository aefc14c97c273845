"""NIfTI files: the voxels as stored, complete and bounded.

ITK reads zeros where voxels are missing, where vox_offset is wrong, where a value is NaN, and from a file
that is named .gz but not compressed; and it ignores gzip's checksum. Files are therefore checked here first.
"""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from pipeline.errors import CaseError
from pipeline.guards.reading import guarded, open_file

LARGEST_BYTES: Final = 2**30
"""Upper limit for the unpacked file."""
HEADER_BYTES: Final = 348
"""Size of the header, stored in its first field."""
BYTES: Final = {
    2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8, 1536: 16,
    1792: 16, 2048: 32, 2304: 4,
}  # fmt: skip
"""Code in the field `datatype` → bytes of a voxel (nifti1.h)."""
FLOATS: Final = {16: "f4", 64: "f8"}
"""Code in the field `datatype` → NumPy type."""
MOST_AXES: Final = 7
PIECE_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Voxels:
    """The voxels of a file, before any scaling."""

    stored: bytes
    """All of them, as in the file."""
    number_type: str
    """NumPy type of floating-point voxels, empty for others."""

    @property
    def finite(self) -> bool:
        """Whether no voxel is NaN or infinite."""
        return not self.number_type or bool(np.isfinite(np.frombuffer(self.stored, self.number_type)).all())


def stored_voxels(path: Path) -> Voxels:
    """The voxels of a NIfTI-1 file (.nii, .nii.gz) with its values in the same file.

    Raises CaseError: "not_nifti" (malformed, or voxels are missing), "too_large", or that of `open_file`.
    """
    packed = path.suffix.lower() == ".gz"
    with (
        open_file(path, most_bytes=LARGEST_BYTES) as file,
        guarded("not_nifti", "is not a readable NIfTI file; save it again"),
    ):
        if not packed:
            return _voxels(file)
        with gzip.GzipFile(fileobj=file) as unpacked:
            voxels = _voxels(unpacked)
            size = 0
            while piece := unpacked.read(PIECE_BYTES):  # gzip compares the checksum at the end
                size += len(piece)
                _refuse_larger(size)
            return voxels


def _voxels(file: BinaryIO | gzip.GzipFile) -> Voxels:
    header = file.read(HEADER_BYTES)
    order = next((sign for sign in "<>" if struct.unpack_from(f"{sign}i", header)[0] == HEADER_BYTES), "")
    axes, *lengths = struct.unpack_from(f"{order}8h", header, 40)
    (code,) = struct.unpack_from(f"{order}h", header, 70)
    (start,) = struct.unpack_from(f"{order}f", header, 108)
    lengths = lengths[:axes]
    if not order or not 1 <= axes <= MOST_AXES or min(lengths) < 1 or code not in BYTES:
        raise CaseError("not_nifti", "has a header that is not one of NIfTI-1; save it again")
    if not (start >= HEADER_BYTES and start == int(start)):  # also refuses NaN
        raise CaseError("not_nifti", "has a vox_offset that cannot be where its voxels begin; save it again")
    size = math.prod(lengths) * BYTES[code]
    _refuse_larger(start + size)
    file.read(int(start) - HEADER_BYTES)
    stored = file.read(size)
    if len(stored) < size:
        raise CaseError("not_nifti", "has fewer voxels than its header says; save it again")
    return Voxels(stored, f"{order}{FLOATS[code]}" if code in FLOATS else "")


def _refuse_larger(size: float) -> None:
    if size > LARGEST_BYTES:
        raise CaseError("too_large", "unpacks to more than 1 GiB; save it in smaller files")

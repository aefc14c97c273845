"""Deep JPEG: JPEG files that Pillow cannot read: lossy with 12 bits, lossless with up to 16, JPEG-LS.

Each is decoded as the same codestream in a DICOM file is (PS3.5, 8.2), with the same checks.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGExtended12Bit, JPEGLossless, JPEGLSLossless

from pipeline.errors import CaseError
from pipeline.guards.jpeg_files import END
from pipeline.loaders.codestream import Codestream, Family, Model, read_codestream
from pipeline.loaders.elements import Warn
from pipeline.loaders.exif import exif_of_jpeg, orientation_of, tags_of
from pipeline.loaders.pixels import refuse_too_many_pixels, stored_values

HEAD_BYTES: Final = 2**18
"""First bytes of a file in which its size is searched; more metadata before it are left to Pillow."""
BYTE: Final = 8
SCAN: Final = b"\xff\xda"
"""Marker of the beginning of the pixels, which cannot occur among them (T.81, B.1.1.4; T.87, A.1)."""
SYNTAXES: Final[Mapping[Family, UID]] = {
    "JPEG": JPEGExtended12Bit,
    "lossless JPEG": JPEGLossless,
    "JPEG-LS": JPEGLSLossless,
}
COLOURS: Final[Mapping[Model | None, str]] = {"RGB": "RGB", "YBR": "YBR_FULL", None: "RGB"}
"""Colour model of the codestream → Photometric Interpretation."""


def deep_stream(file: BinaryIO) -> Codestream | None:
    """What the file says of itself; None if Pillow reads it: 8 bits, lossy or lossless."""
    file.seek(0)
    try:
        found = read_codestream(file.read(HEAD_BYTES))
    except (struct.error, IndexError):
        return None
    is_deep = found is not None and (found.bits != BYTE or found.family == "JPEG-LS")
    if found is None or not is_deep:
        return None
    refuse_too_many_pixels(found.extent[:2])
    return found


def deep_orientation(content: bytes) -> int:
    """1 … 8 of the EXIF tag Orientation; 1 if it is absent or unreadable."""
    return orientation_of(lambda: tags_of(exif_of_jpeg(content)))


def deep_samples(content: bytes, stream: Codestream, *, warn: Warn) -> tuple[NDArray[np.integer], str, int]:
    """Values (rows, columns[, samples]), their colour model and bits.

    Raises CaseError "decode_failed" and others of `stored_values`.
    """
    if END not in content[content.rfind(SCAN) :]:
        raise CaseError("decode_failed", "the file ends within its pixels; export it again")
    rows, columns, samples = stream.extent
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = SYNTAXES[stream.family]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, samples
    dataset.BitsAllocated = BYTE if stream.bits <= BYTE else 2 * BYTE
    dataset.BitsStored, dataset.HighBit = stream.bits, stream.bits - 1
    dataset.PixelRepresentation = dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else COLOURS[stream.model]
    dataset.PixelData = encapsulate([content])
    return stored_values(dataset, 0, warn=warn)

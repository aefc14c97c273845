"""Sound: small intact DICOM files in many encodings, the starting point of all damage."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

ROWS, COLUMNS = 40, 36
SOP_INSTANCE_UID = "1.2.826.0.1.3680043.10.6.1"
PLAIN = "explicit"
"""Name of the file used for most damaged headers."""
INSTALLED = Path(pydicom.__file__).parent / "data" / "test_files"
FROM_PYDICOM = ("SC_rgb_jpeg_gdcm.dcm", "JPGExtended.dcm", "SC_rgb_small_odd.dcm", "MR_small_RLE.dcm")
"""Encodings that nothing here writes, decoded by GDCM where they are JPEG."""


@cache
def sound_files() -> dict[str, bytes]:
    """Name → bytes."""
    grey = pixels()
    colour = np.stack([grey >> 4, grey >> 5, grey >> 6], axis=-1).astype(np.uint8)
    made = {
        PLAIN: data_set(grey),
        "implicit": data_set(grey, syntax=ImplicitVRLittleEndian),
        "big_endian": data_set(grey, syntax=ExplicitVRBigEndian),
        "deflated": data_set(grey, syntax=DeflatedExplicitVRLittleEndian),
        "signed": data_set((grey.astype(np.int16) - 1024), RescaleSlope=1, RescaleIntercept=-24),
        "colour": data_set(colour),
        "palette": _palette(grey),
        "frames": data_set(np.stack([grey, grey // 2, grey // 4]), frames=3),
        "rle": _compressed(grey, RLELossless),
        "jpeg_ls": _compressed(grey, JPEGLSLossless),
        "jpeg_2000": _compressed(grey, JPEG2000Lossless),
        "jpeg_2000_frames": _compressed(np.stack([grey, grey // 2]), JPEG2000Lossless, frames=2),
        "jpeg": _jpeg(),
    }
    files = {name: saved(dataset) for name, dataset in made.items()}
    return files | {name: (INSTALLED / name).read_bytes() for name in FROM_PYDICOM}


def pixels(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.uint16]:
    """12-bit pixels: a gradient with noise."""
    slope = np.add.outer(np.arange(rows), np.arange(columns)) * (3000 / (rows + columns))
    return (slope + np.random.default_rng(6).integers(0, 900, (rows, columns))).astype(np.uint16)


def data_set(
    array: NDArray[np.integer], *, syntax: UID = ExplicitVRLittleEndian, frames: int = 1, **elements: object
) -> Dataset:
    """A radiograph with text, a private block, nested sequences and pixels."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = SOP_INSTANCE_UID
    data.StudyInstanceUID, data.PatientID, data.PatientName = "1.2.826.0.1.3680043.10.6.2", "P", "Roe^Ann"
    data.Modality, data.PatientAge, data.Manufacturer = "DX", "061Y", "SIEMENS"
    data.WindowCenter, data.WindowWidth, data.PixelSpacing = [2048, 1000], [4096, 800], [0.5, 0.5]
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-1", "chest"
    outer = Dataset()
    outer.CodeValue, outer.PurposeOfReferenceCodeSequence = "T-2", [inner]
    data.AnatomicRegionSequence = [outer, inner]
    data.private_block(0x0011, "HEATPROOF", create=True).add_new(1, "LO", "private")
    shape = array.shape[1:] if frames > 1 else array.shape
    data.Rows, data.Columns = shape[:2]
    data.SamplesPerPixel = 3 if len(shape) == 3 else 1
    data.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        data.PlanarConfiguration = 0
    if frames > 1:
        data.NumberOfFrames = frames
    data.BitsAllocated = 8 * array.itemsize
    data.BitsStored = 12 if array.dtype == np.uint16 else data.BitsAllocated
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(array.dtype.kind == "i")
    for keyword, value in elements.items():
        setattr(data, keyword, value)
    order = "<" if syntax.is_little_endian else ">"
    data.PixelData = array.astype(array.dtype.newbyteorder(order)).tobytes()
    data["PixelData"].VR = "OB" if array.itemsize == 1 else "OW"
    return data


def saved(dataset: Dataset) -> bytes:
    """The bytes of its file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _compressed(array: NDArray[np.integer], syntax: UID, *, frames: int = 1) -> Dataset:
    data = data_set(array, frames=frames)
    data.compress(syntax, generate_instance_uid=False)
    return data


def _jpeg() -> Dataset:
    data = data_set((pixels() >> 4).astype(np.uint8))
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = encapsulate([jpeg(ROWS, COLUMNS)])
    return data


def jpeg(rows: int, columns: int) -> bytes:
    """A baseline JPEG codestream."""
    buffer = BytesIO()
    Image.fromarray((pixels(rows, columns) >> 4).astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def _palette(grey: NDArray[np.uint16]) -> Dataset:
    data = data_set((grey >> 4).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(data, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(data, f"{name}PaletteColorLookupTableData", (np.arange(256, dtype="<u2") * 257).tobytes())
    return data

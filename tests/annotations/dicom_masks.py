"""Masks saved as DICOM images, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


def write_overlay(
    path: Path,
    planes: np.ndarray,
    size: tuple[int, int],
    *,
    origin: tuple[int, int] = (1, 1),
    **attributes: object,
) -> None:
    """An image of `size` with an overlay (rows, columns) or (frames, rows, columns) of the type ROI."""
    bits = np.packbits(np.ravel(planes).astype(np.uint8), bitorder="little").tobytes()
    image = Dataset()
    image.add_new(0x60000010, "US", planes.shape[-2])
    image.add_new(0x60000011, "US", planes.shape[-1])
    if planes.ndim > 2:
        image.add_new(0x60000015, "IS", planes.shape[0])
    image.add_new(0x60000040, "CS", "R")
    image.add_new(0x60000050, "SS", list(origin))
    image.add_new(0x60000100, "US", 1)
    image.add_new(0x60000102, "US", 0)
    image.add_new(0x60003000, "OW", bits + b"\0" * (len(bits) % 2))
    write_mask(path, np.zeros(size, np.uint8), **attributes)
    found = dcmread(path)
    found.update(image)
    for tag, value in attributes.items():
        setattr(found, tag, value)
    found.save_as(path)


def write_mask(path: Path, values: np.ndarray, **attributes: object) -> None:
    """An uncompressed image with the values (rows, columns) of 8 or 16 bits."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    uid = generate_uid(entropy_srcs=[str(path)])
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid
    image.Rows, image.Columns = values.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = values.dtype.itemsize * 8
    image.HighBit, image.PixelRepresentation = image.BitsStored - 1, 0
    image.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    image.save_as(path, enforce_file_format=True)

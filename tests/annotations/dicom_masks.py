"""Masks saved as DICOM images, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid


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

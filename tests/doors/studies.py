"""Small studies: one radiograph each, whose pixels are its number."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.exports.objects import encoded

DX = "1.2.840.10008.5.1.4.1.1.1.1"
ROOT = "1.2.826.0.1.3680043.10.1"


def radiograph(number: int, *, instance: str = "", patient: str = "") -> Dataset:
    """A DX image of 16 × 24 pixels."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = DX
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = instance or f"{ROOT}.3.{number}"
    image.StudyInstanceUID = f"{ROOT}.1.{number}"
    image.SeriesInstanceUID = f"{ROOT}.2.{number}"
    image.PatientID = patient or f"P{number:03}"
    image.PatientName = f"Doe^Number{number}"
    image.PatientBirthDate = "19500101"
    image.PatientSex = "F"
    image.StudyDate, image.StudyTime, image.StudyID = "20260101", "120000", str(number)
    image.AccessionNumber, image.ReferringPhysicianName = f"A{number}", ""
    image.Modality, image.SeriesNumber, image.InstanceNumber = "DX", 1, 1
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.Manufacturer, image.BodyPartExamined = "Camera", "CHEST"
    image.Rows, image.Columns, image.SamplesPerPixel = 16, 24, 1
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelSpacing = [0.2, 0.2]
    image.PixelData = np.full((16, 24), number, np.uint16).tobytes()
    return image


def file_of(image: Dataset) -> bytes:
    """The image as a DICOM file."""
    return encoded(image)

"""DICOM SEG files for tests, written by highdicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid


def source_image(uid: str, shape: tuple[int, int], **attributes: object) -> Dataset:
    """The header of a radiograph with the elements that highdicom needs of a source image."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID = DigitalXRayImageStorageForPresentation, uid
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    image.Modality = "DX"
    image.Rows, image.Columns = shape
    for keyword in (
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
        "StudyID",
    ):
        setattr(image, keyword, "")
    image.StudyDate = image.StudyTime = ""
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    return image


def write_segmentation(
    path: Path,
    planes: np.ndarray,
    images: list[Dataset],
    labels: list[str],
    kind: SegmentationTypeValues = SegmentationTypeValues.BINARY,
) -> None:
    """A SEG from an array (images, rows, columns, segments), written without empty frames."""
    algorithm = AlgorithmIdentificationSequence("by hand", codes.DCM.ArtificialIntelligence, "1")
    segments = [
        SegmentDescription(
            number,
            label,
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Mass,
            SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
            algorithm,
        )
        for number, label in enumerate(labels, start=1)
    ]
    seg = Segmentation(
        source_images=images,
        pixel_array=planes,
        segmentation_type=kind,
        segment_descriptions=segments,
        series_instance_uid="1.2.3.3",
        series_number=1,
        sop_instance_uid=generate_uid(entropy_srcs=[str(path)]),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(path)

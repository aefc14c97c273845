"""Study set: phantom films as a folder of DICOM files with masks and labels, reproducible to the byte."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Raster
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import HIGHEST, Exposure, expose

SYNTAXES = (
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    ExplicitVRLittleEndian,
    RLELossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    DeflatedExplicitVRLittleEndian,
)
"""Transfer syntaxes of the films, used in turn."""
ENCODERS = {JPEGLSLossless: "pyjpegls", RLELossless: "pylibjpeg", JPEG2000Lossless: "pylibjpeg"}
"""Fixed, because other encoders write other bytes."""
INVERTED_EVERY = 5
"""One film in `INVERTED_EVERY` is MONOCHROME1."""
VIEWS = {"PA": ("272479007", "postero-anterior"), "AP": ("399348003", "antero-posterior")}
"""View Position → its code in SNOMED CT (PS3.16, CID 4010)."""
CALIBRATED_EVERY = 2
"""One film in `CALIBRATED_EVERY` has Pixel Spacing in addition to Imager Pixel Spacing."""
TRAIN_EVERY = 4
"""One block of six films in `TRAIN_EVERY` has the split `train`, for location priors; the others, `dev`."""


def write_study_set(folder: Path, *, seed: int, count: int, size: int = 512) -> None:
    """Write films 0 … count-1 of a seed, `size` × `size` pixels, to `folder`.

    images/<image>.dcm; masks/<finding>/<image>.png with 0 outside and 1, 2, … in each lesion, without a file
    if there is no lesion; labels.csv. All films of a patient have the same split.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for index in range(count):
        film, name = expose(seed, index, size=size), f"film_{index:05d}"
        dataset = dicom(film, seed=seed, index=index)
        dcmwrite(folder / "images" / f"{name}.dcm", dataset, enforce_file_format=True)
        _write_masks(folder / "masks", name, film)
        rows.append(_label(name, dataset, film))
    _write_labels(folder / "labels.csv", rows)


def dicom(film: Exposure, *, seed: int, index: int) -> Dataset:
    """A film as a DX image for presentation (PS3.3 A.26); `index` selects the transfer syntax."""
    dataset = Dataset()
    for part in (_patient_and_study, _series_and_image, _acquisition):
        dataset.update(part(film, seed, index))
    _put_pixels(dataset, film, inverted=index % INVERTED_EVERY == 1)
    syntax = SYNTAXES[index % len(SYNTAXES)]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax in ENCODERS:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, encoding_plugin=ENCODERS[syntax], generate_instance_uid=False)
    return dataset


def _patient_and_study(film: Exposure, seed: int, index: int) -> Dataset:
    part = Dataset()
    part.PatientName = f"Phantom^{film.patient:05d}"
    part.PatientID = f"PHANTOM-{seed}-{film.patient:05d}"
    part.PatientBirthDate = ""
    part.PatientSex = film.attributes["sex"]
    part.PatientAge = film.attributes["age"]
    part.StudyInstanceUID = _uid("study", seed, index)
    part.StudyDate = part.StudyTime = part.StudyID = part.AccessionNumber = part.ReferringPhysicianName = ""
    return part


def _series_and_image(film: Exposure, seed: int, index: int) -> Dataset:
    part = Dataset()
    part.SOPClassUID = DigitalXRayImageStorageForPresentation
    part.SOPInstanceUID = _uid("image", seed, index)
    part.SeriesInstanceUID = _uid("series", seed, index)
    part.Modality = film.attributes["modality"]
    part.PresentationIntentType = "FOR PRESENTATION"
    part.Manufacturer = film.attributes["manufacturer"]
    part.ManufacturerModelName = film.attributes["model"]
    part.SeriesNumber = part.InstanceNumber = 1
    part.ContentDate = part.ContentTime = part.AcquisitionDate = ""
    part.ImageType = ["DERIVED", "PRIMARY", ""]
    part.BurnedInAnnotation = "NO"
    part.LossyImageCompression = "00"
    return part


def _acquisition(film: Exposure, _seed: int, index: int) -> Dataset:
    part = Dataset()
    part.BodyPartExamined = film.attributes["body_part"]
    part.ViewPosition = film.attributes["view"]
    part.ViewCodeSequence = Sequence([_code(*VIEWS[film.attributes["view"]])])
    part.PositionerType = ""  # required, and unknown of a film that no machine made
    part.ImageLaterality = "U"
    part.PatientOrientation = ["L", "F"]
    part.AnatomicRegionSequence = Sequence([_code("51185008", "Chest")])
    part.AcquisitionContextSequence = Sequence()
    part.DetectorType = "DIRECT"
    part.ImagerPixelSpacing = [film.spacing_mm] * 2
    if index % CALIBRATED_EVERY:
        part.PixelSpacing = [film.spacing_mm] * 2
    return part


def _put_pixels(dataset: Dataset, film: Exposure, *, inverted: bool) -> None:
    """Set pixels and grey scale. A MONOCHROME1 film stores the complement and is displayed the same."""
    stored = HIGHEST - film.stored if inverted else film.stored
    black, white = film.window
    # PS3.3 C.11.2.1.2.1: the centre of a window from `black` to `white` is half a value above their mean.
    center, width = (black + white + 1) / 2, white - black + 1
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1 if not inverted else 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.WindowCenter = HIGHEST + 1 - center if inverted else center
    dataset.WindowWidth = width
    dataset.PixelData = stored.astype("<u2").tobytes()


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def _uid(kind: str, seed: int, index: int) -> UID:
    return generate_uid(entropy_srcs=["heatproof phantom", kind, str(seed), str(index)])


def _write_masks(folder: Path, name: str, film: Exposure) -> None:
    for finding, masks in film.masks.items():
        if masks:
            values: NDArray[np.uint8] = np.zeros(film.stored.shape, np.uint8)
            for number, mask in enumerate(masks, start=1):
                values[mask] = number
            (folder / finding).mkdir(parents=True, exist_ok=True)
            Raster.fromarray(values).save(folder / finding / f"{name}.png")


def _label(name: str, dataset: Dataset, film: Exposure) -> dict[str, str | int]:
    return {
        "image": name,
        "sop_instance_uid": str(dataset.SOPInstanceUID),
        "patient_id": str(dataset.PatientID),
        **{finding: int(bool(film.masks[finding])) for finding in FINDINGS},
        "split": "train" if film.patient // 6 % TRAIN_EVERY == 0 else "dev",
    }


def _write_labels(path: Path, rows: list[dict[str, str | int]]) -> None:
    columns = ["image", "sop_instance_uid", "patient_id", *FINDINGS, "split"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)

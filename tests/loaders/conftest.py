"""DICOM files of a few known pixels, written where a test runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pipeline.loaders import decode, read_header
from pipeline.records import Image

DIGITAL_RADIOGRAPH = "1.2.840.10008.5.1.4.1.1.1.1"
Write = Callable[..., Path]
Load = Callable[..., Image]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(pixels, **elements): the path of a file with these; None removes an element."""

    def written(
        pixels: NDArray[np.integer] | list[list[int]],
        *,
        name: str = "image.dcm",
        syntax: UID = ExplicitVRLittleEndian,
        photometric: str = "MONOCHROME2",
        frames: int | None = None,
        preamble: bool = True,
        **elements: object,
    ) -> Path:
        array = np.asarray(pixels, np.uint8) if isinstance(pixels, list) else pixels
        plain = ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = plain
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset = Dataset()
        dataset.file_meta = meta
        _describe(dataset, array, photometric=photometric, frames=frames)
        dataset.PixelData = array.astype(
            array.dtype.newbyteorder("<" if plain.is_little_endian else ">")
        ).tobytes()
        if dataset.BitsAllocated == 8:
            dataset["PixelData"].VR = "OB"
        if len(dataset.PixelData) % 2:
            dataset.PixelData += b"\0"
        with disable_value_validation():
            for keyword, value in elements.items():
                if value is None:
                    del dataset[keyword]
                else:
                    setattr(dataset, keyword, value)
        if syntax.is_encapsulated:
            dataset.compress(syntax, generate_instance_uid=False)
        if preamble:
            dataset.save_as(path, enforce_file_format=True)
        else:
            del dataset.file_meta
            dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
        return path

    return written


def _describe(dataset: Dataset, array: NDArray[np.integer], *, photometric: str, frames: int | None) -> None:
    shape = array.shape[1:] if frames else array.shape
    dataset.SOPClassUID = DIGITAL_RADIOGRAPH
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.PatientID = "P1"
    dataset.Modality = "DX"
    dataset.PhotometricInterpretation = photometric
    dataset.Rows, dataset.Columns = shape[:2]
    dataset.SamplesPerPixel = 3 if len(shape) == 3 else 1
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * array.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    if frames:
        dataset.NumberOfFrames = frames


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """load(path, frame=0, window="header"): the decoded image."""

    def loaded(path: Path, *, frame: int = 0, window: object = "header") -> Image:
        source = read_header(path, root=tmp_path if path.is_relative_to(tmp_path) else path.parent)[frame]
        return decode(source, case_id="case", window=window)

    return loaded

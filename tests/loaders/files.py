"""Files: DICOM files with known pixels, native or around a codestream that a test made."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from pipeline.loaders import decode, read_header
from pipeline.records import Image

DIGITAL_RADIOGRAPH = "1.2.840.10008.5.1.4.1.1.1.1"
WHITE, RED, BLUE, BLACK = (255, 255, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)
LUMA = {"white": 1.0, "red": 0.299, "blue": 0.114, "black": 0.0}
"""Brightness of the fields of `fields`."""
_WITHOUT_MARKERS = {0xE0, 0xEE}


def write_file(
    path: Path,
    pixels: NDArray[np.integer] | list[list[int]],
    *,
    syntax: UID = ExplicitVRLittleEndian,
    photometric: str = "MONOCHROME2",
    frames: int | None = None,
    preamble: bool = True,
    **elements: object,
) -> Path:
    """A file with these pixels; an element that is None is removed."""
    array = np.asarray(pixels, np.uint8) if isinstance(pixels, list) else pixels
    plain = ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = described(array, photometric=photometric, frames=frames)
    dataset.file_meta.TransferSyntaxUID = plain
    dataset.PixelData = array.astype(
        array.dtype.newbyteorder("<" if plain.is_little_endian else ">")
    ).tobytes()
    if dataset.BitsAllocated == 8:
        dataset["PixelData"].VR = "OB"
    if len(dataset.PixelData) % 2:
        dataset.PixelData += b"\0"
    _change(dataset, elements)
    if syntax.is_encapsulated:
        dataset.compress(syntax, generate_instance_uid=False)
    if preamble:
        dataset.save_as(path, enforce_file_format=True)
    else:
        del dataset.file_meta
        dataset.save_as(path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    return path


def write_frame(
    path: Path,
    codestream: bytes,
    pixels: NDArray[np.integer],
    *,
    photometric: str,
    syntax: UID = JPEGBaseline8Bit,
    **elements: object,
) -> Path:
    """A file around a codestream, described as `pixels` are unless `elements` say otherwise."""
    dataset = described(pixels, photometric=photometric)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([codestream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    _change(dataset, elements)
    dataset.save_as(path, enforce_file_format=True)
    return path


def load_file(path: Path, *, frame: int = 0, window: Any = "header") -> Image:
    """The decoded frame."""
    return decode(read_header(path, root=path.parent)[frame], case_id="case", window=window)


def reasons(image: Image) -> list[str]:
    """The reasons of the image's cautions."""
    return [caution.reason for caution in image.cautions]


def described(array: NDArray[np.integer], *, photometric: str, frames: int | None = None) -> Dataset:
    """A data set without pixel data whose elements describe the array."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
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
    return dataset


def _change(dataset: Dataset, elements: dict[str, object]) -> None:
    with disable_value_validation():
        for keyword, value in elements.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)


def fields(size: int = 32) -> NDArray[np.uint8]:
    """An RGB picture: a white band on top, red left and blue right in the middle, a black band below."""
    picture = np.zeros((size, size, 3), np.uint8)
    quarter, half = size // 4, size // 2
    picture[:quarter] = WHITE
    picture[quarter : 3 * quarter, :half], picture[quarter : 3 * quarter, half:] = RED, BLUE
    return picture


def field_brightness(image: Image) -> dict[str, float]:
    """The mean brightness in the middle of each field of `fields`."""
    size = image.shape[0]
    quarter, near = size // 4, size // 8
    places = {
        "white": np.s_[: quarter - near, :],
        "red": np.s_[quarter + near : 3 * quarter - near, : size // 2 - near],
        "blue": np.s_[quarter + near : 3 * quarter - near, size // 2 + near :],
        "black": np.s_[3 * quarter + near :, :],
    }
    return {name: float(image.pixels[place].mean()) for name, place in places.items()}


def ybr(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """YBR_FULL, PS3.3, C.7.6.3.1.2, by Pillow."""
    return np.asarray(Picture.fromarray(rgb).convert("YCbCr"))


def jpeg(rgb: NDArray[np.uint8], *, model: str, subsampled: bool = False) -> bytes:
    """A JPEG frame of the picture, with components RGB or YBR numbered 1, 2, 3, without a marker."""
    samples = ybr(rgb) if model == "YBR" else rgb
    stream = BytesIO()
    if subsampled:
        assert model == "YBR"
        Picture.fromarray(rgb).save(stream, "JPEG", quality=95, subsampling=2)
    else:  # kept as they are, and numbered R, G, B
        Picture.fromarray(samples).save(stream, "JPEG", quality=95, keep_rgb=True)
    return with_ids(without_markers(stream.getvalue()), b"\1\2\3")


def without_markers(frame: bytes) -> bytes:
    """The JPEG frame without JFIF and Adobe marker."""
    kept, offset = b"\xff\xd8", 2
    while frame[offset + 1] != 0xDA:
        end = offset + 2 + struct.unpack_from(">H", frame, offset + 2)[0]
        kept += b"" if frame[offset + 1] in _WITHOUT_MARKERS else frame[offset:end]
        offset = end
    return kept + frame[offset:]


def with_ids(frame: bytes, ids: bytes) -> bytes:
    """The JPEG frame with other component numbers, in its frame and scan headers."""
    changed, offset = bytearray(frame), 2
    while True:
        marker, length = frame[offset + 1], struct.unpack_from(">H", frame, offset + 2)[0]
        if marker in (0xC0, 0xC1, 0xC2):
            changed[offset + 10 : offset + 10 + 3 * len(ids) : 3] = ids
        if marker == 0xDA:
            changed[offset + 5 : offset + 5 + 2 * len(ids) : 2] = ids
            return bytes(changed)
        offset += 2 + length


def with_adobe(frame: bytes, transform: int) -> bytes:
    """The JPEG frame with an Adobe marker of this colour transform."""
    return frame[:2] + b"\xff\xee\0\x0eAdobe\0d\0\0\0\0" + bytes([transform]) + frame[2:]


def with_jfif(frame: bytes) -> bytes:
    """The JPEG frame with a JFIF marker."""
    return frame[:2] + b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + frame[2:]


def jpeg_2000(samples: NDArray[np.uint8], *, transform: bool) -> bytes:
    """A lossless JPEG 2000 codestream; `transform`: with the multiple component transform."""
    stream = BytesIO()
    Picture.fromarray(samples).save(stream, "JPEG2000", no_jp2=True, irreversible=False, mct=int(transform))
    return stream.getvalue()

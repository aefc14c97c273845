"""DICOM masks: masks saved as DICOM images, as in CBIS-DDSM, named by image, finding and reader.

Files that call themselves cropped images (Series Description) lie beside masks there, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array
from pydicom.uid import RLELossless

from pipeline.annotations.background import Background
from pipeline.annotations.dicom_files import opened_header, text_in
from pipeline.annotations.mask_files import mask_reference
from pipeline.annotations.masks import Instances
from pipeline.annotations.patterns import find_files
from pipeline.annotations.resampling import Resample, check_fit
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.reading import guarded, open_file
from pipeline.orientation import AS_STORED, turn_between
from pipeline.records import AnnotationItem, ImagePlane, Reference, Shape, image_plane

CROPPED = re.compile(r"\bcropped[ _-]images?\b", re.IGNORECASE)
UNREADABLE = "The mask is not a readable DICOM image; save it again without compression."
COMPRESSED = "The mask is compressed by a method that its format does not need; save it without compression."
NOT_GREY = "The mask has several frames or colours; save one frame with one grey value per lesion."
TURNED = (
    "The mask states another direction of its rows or columns than its image; save it as its image lies, or "
    "as DICOM SEG."
)


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = "{image}.dcm",
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "auto",
    background: Background = "auto",
    resample: Resample = "refuse",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`, as for PNG. {lesion} numbers several masks of one image."""
    payload = {"instances": instances, "background": background, "resample": resample}
    found = find_files(path, pattern, format="dicom_mask", finding=finding, reader=reader, payload=payload)
    return (item for item in found if not _is_cropped(Path(str(item.payload["path"]))))


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask without any means that the finding is absent.

    Raises CaseError: "annotation_unreadable", "mask_size", "mask_orientation", "not_a_mask".
    """
    resample = cast("Resample", item.payload["resample"])
    values = _values(Path(str(item.payload["path"])), shape, resample, item.plane)
    return mask_reference(item, (values, ()), case_id=case_id, finding=finding, shape=shape)


def _values(path: Path, shape: Shape, resample: Resample, image: ImagePlane | None) -> NDArray[np.generic]:
    """Grey values (rows, columns). The size is checked before decoding."""
    with (
        open_file(path, most_bytes=LARGEST_BYTES, what="The mask") as stream,
        guarded("annotation_unreadable", UNREADABLE),
    ):
        refuse_decompression_bomb(stream)
        stream.seek(0)
        header = dcmread(stream, stop_before_pixels=True)
        check_fit((int(header.Rows), int(header.Columns)), shape, resample)
        _refuse_others(header, image)
        stream.seek(0)
        values: NDArray[np.generic] = pixel_array(stream, raw=True)
        if header.PhotometricInterpretation == "MONOCHROME1":
            values = np.asarray(np.int64(2 ** int(header.BitsStored) - 1) - values.astype(np.int64))
    return values


def _refuse_others(header: Dataset, image: ImagePlane | None) -> None:
    """Refuse what is no grey frame without compression in the direction of its image."""
    syntax = header.file_meta.TransferSyntaxUID
    if syntax.is_compressed and syntax.is_encapsulated and syntax != RLELossless:
        raise CaseError("annotation_unreadable", COMPRESSED)
    if int(header.get("NumberOfFrames") or 1) != 1 or header.get("SamplesPerPixel", 1) != 1:
        raise CaseError("not_a_mask", NOT_GREY)
    if header.PhotometricInterpretation not in {"MONOCHROME1", "MONOCHROME2"}:
        raise CaseError("not_a_mask", NOT_GREY)
    orientation = [float(number) for number in header.get("ImageOrientationPatient") or ()]
    stored = image_plane(orientation)
    if stored and image and turn_between(stored, image) != AS_STORED:
        raise CaseError("mask_orientation", TURNED)


def _is_cropped(file: Path) -> bool:
    """Whether a file says that it is a cut-out of the image; one that cannot be read is refused later."""
    try:
        with opened_header(file) as header:
            return CROPPED.search(text_in(header, "SeriesDescription")) is not None
    except CaseError:
        return False


DICOM_MASK = AnnotationFormat(find=find, read=read, kind="mask")

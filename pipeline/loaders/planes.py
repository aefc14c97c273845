"""Planes: where an image lies in the patient, by its header."""

from __future__ import annotations

from pydicom.dataset import Dataset

from pipeline.loaders.elements import numbers, text
from pipeline.records import ImagePlane, image_plane

PLANE_KEYWORDS = ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "FrameOfReferenceUID")


def plane_in(dataset: Dataset) -> ImagePlane | None:
    """The plane of Image Orientation and Position (Patient), PS3.3, C.7.6.2; None if absent or malformed."""
    return image_plane(
        _numbers(dataset, "ImageOrientationPatient"),
        _numbers(dataset, "ImagePositionPatient"),
        _numbers(dataset, "PixelSpacing"),
        text(dataset, "FrameOfReferenceUID"),
    )


def _numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    try:
        return numbers(dataset, keyword)
    except (ValueError, TypeError, OverflowError):
        return ()

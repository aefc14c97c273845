"""Addresses: the image that a DICOM annotation names, or the plane by which its image is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.annotations.dicom_files import Named
from pipeline.annotations.in_patient import plane_of
from pipeline.annotations.shapes import Drawn, Geometry, InPatient, Problem
from pipeline.records import ImagePlane

SEVERAL_IMAGES = Problem(
    "mask_not_joined", "An annotation names several images; export it again with one image per contour."
)
WITHOUT_SYSTEM = Problem(
    "mask_not_joined",
    "An annotation names neither an image nor a frame of reference by which its image could be found; export "
    "it with one image per contour.",
)
OBLIQUE = Problem(
    "mask_not_joined",
    "An annotation names no image, and its plane is neither axial, coronal nor sagittal, so that its image "
    "cannot be found; export it with one image per contour.",
)


class Address(NamedTuple):
    """Where an annotation belongs."""

    image: str
    """SOP instance UID; the stem of the annotation's file if no image is named."""
    frame: int | None = None
    place: ImagePlane | None = None
    """The plane, if no image is named."""

    def drawn(self, finding: str | None, shape: Geometry, reader: str) -> Drawn:
        """A shape there."""
        return Drawn(self.image, finding, shape, reader, frame=self.frame, place=self.place)


def addressed(shape: Geometry, images: Sequence[Named], stem: str) -> tuple[Address, Geometry]:
    """Where a shape that names `images` belongs, and the shape, or why it belongs nowhere."""
    if len(images) == 1:
        return Address(images[0].uid, images[0].frame), shape
    if images:
        return Address(images[0].uid, images[0].frame), SEVERAL_IMAGES
    place = plane_of(shape) if isinstance(shape, InPatient) else None
    if place is None and isinstance(shape, InPatient):
        return Address(stem), OBLIQUE if shape.frame_of_reference else WITHOUT_SYSTEM
    return Address(stem, place=place), shape

"""In patient: contours and points in mm of the patient's coordinate system → pixels of an image in its plane.

PS3.3, C.7.6.2.1.1: the position of an image is that of the centre of its first pixel, the origin of image
coordinates here, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.shapes import Contours, InPatient, Polygon, point_of, polygon_of
from pipeline.errors import CaseError
from pipeline.orientation import SAME_PLANE_MM
from pipeline.records import ImagePlane, Point, Vector

AXES: tuple[tuple[Vector, Vector, Vector], ...] = (
    ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
)
"""Normal, direction along a row and down a column of axial, coronal and sagittal images."""
FLAT_MM = 0.01
"""Distance from its first point's plane by which rounding moves a point."""
PLACES = 2
"""Digits of a millimetre by which planes are told apart."""

WITHOUT_PLANE = (
    "The annotation is in mm of the patient, but its image does not say where it lies (Image Position, Image "
    "Orientation, Pixel Spacing), or has several frames; export the annotation in pixels, or as DICOM SEG."
)
OTHER_SYSTEM = (
    "The annotation's frame of reference is not that of its image, so that its coordinates do not apply; "
    "export it again for this image."
)
OTHER_PLANE = (
    f"The annotation lies more than {SAME_PLANE_MM} mm from the plane of its image; correct the image "
    "that it names, or export it again for this image."
)


def mm_of(numbers: NDArray[np.float64]) -> bytes:
    """Positions x, y, z in turn, in mm, as the record keeps them. Raises CaseError "bad_polygon"."""
    if numbers.size == 0 or numbers.size % 3 or not np.isfinite(numbers).all():
        raise CaseError(
            "bad_polygon",
            "A contour has coordinates that are not numbers, or not in threes; export it again.",
        )
    points = numbers.reshape(-1, 3)
    if len(points) > 1 and np.array_equal(points[0], points[-1]):
        points = points[:-1]
    with np.errstate(over="ignore"):  # to infinity, which lies in no plane
        return points.astype("<f4").tobytes()


def points_of(coded: bytes) -> NDArray[np.float64]:
    """The positions (points, 3) of `mm_of`."""
    return np.frombuffer(coded, "<f4").reshape(-1, 3).astype(np.float64)


def on_image(shape: InPatient, plane: ImagePlane | None) -> Polygon | Contours | Point:
    """The object in pixels of the image.

    Raises CaseError "mask_not_joined" if it does not lie in the image's plane, or that is unknown.
    """
    if plane is None or plane.position is None or plane.spacing_mm is None:
        raise CaseError("mask_not_joined", WITHOUT_PLANE)
    if "" != shape.frame_of_reference != plane.frame_of_reference != "":
        raise CaseError("mask_not_joined", OTHER_SYSTEM)
    outlines = [_pixels(points_of(contour), plane) for contour in shape.contours]
    if shape.is_point:
        return point_of(*outlines[0][0], origin="centre")
    if len(outlines) == 1:
        return polygon_of(outlines[0], origin="centre")
    return Contours(tuple(polygon_of(outline, origin="centre").parts[0] for outline in outlines))


def plane_of(shape: InPatient) -> ImagePlane | None:
    """The plane of a flat object in an axial, coronal or sagittal direction; None if it has none of these."""
    if not shape.frame_of_reference:
        return None
    points = np.concatenate([points_of(contour) for contour in shape.contours])
    if not np.isfinite(points).all():
        return None
    for normal, along, down in AXES:
        if float(np.abs((points - points[0]) @ normal).max()) <= FLAT_MM:
            x, y, z = np.round(points[0] @ normal, PLACES) * np.array(normal)
            return ImagePlane(along, down, (float(x), float(y), float(z)), None, shape.frame_of_reference)
    return None


def _pixels(points: NDArray[np.float64], plane: ImagePlane) -> NDArray[np.float64]:
    """Points (x, y) in pixels. Raises CaseError "mask_not_joined"."""
    assert plane.position is not None
    assert plane.spacing_mm is not None
    shifts = points - np.array(plane.position)
    heights = shifts @ np.cross(plane.along, plane.down)
    if not (np.abs(heights) <= SAME_PLANE_MM).all():
        raise CaseError("mask_not_joined", OTHER_PLANE)
    row_mm, column_mm = plane.spacing_mm
    return np.stack([shifts @ plane.along / column_mm, shifts @ plane.down / row_mm], axis=1)

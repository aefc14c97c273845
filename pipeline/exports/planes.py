"""Planes: where a frame lies in the patient by its header, and where the grid of its map does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from pydicom.dataset import Dataset

from pipeline.records import ImagePlane, Placement, Vector, image_plane

SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
"""Elements with the distances of pixels, in the order in which they count (PS3.3, 10.7)."""
DIRECTIONS: Final[Mapping[str, Vector]] = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "H": (0.0, 0.0, 1.0),
    "F": (0.0, 0.0, -1.0),
}
"""Letters of Patient Orientation, of which the first is the main direction (PS3.3, C.7.6.1.1.1)."""


def group_of(header: Dataset, frame: int, keyword: str) -> Any:
    """The item of a functional group of a frame, its own or the shared one; None without it."""
    own = header.get("PerFrameFunctionalGroupsSequence") or ()
    shared = header.get("SharedFunctionalGroupsSequence") or ()
    for groups in (*own[frame : frame + 1], *shared[:1]):
        if items := groups.get(keyword):
            return items[0]
    return None


def plane_of(header: Dataset, frame: int) -> ImagePlane | None:
    """The plane of a frame; None unless position, orientation, spacing and frame of reference are known."""
    at_root = None if _frames(header) > 1 else header  # elements of the header are about one frame
    position = group_of(header, frame, "PlanePositionSequence") or at_root
    orientation = group_of(header, frame, "PlaneOrientationSequence") or at_root
    measures = group_of(header, frame, "PixelMeasuresSequence") or at_root
    if position is None or orientation is None or measures is None or not header.get("FrameOfReferenceUID"):
        return None
    plane = image_plane(
        _numbers(orientation, "ImageOrientationPatient"),
        _numbers(position, "ImagePositionPatient"),
        _numbers(measures, "PixelSpacing"),
        str(header.FrameOfReferenceUID),
    )
    return plane if plane is not None and plane.position and plane.spacing_mm else None


def plane_of_grid(plane: ImagePlane, grid: Placement) -> ImagePlane:
    """The plane of a map's own grid on an image with that plane, which has a position and a spacing.

    A mirrored axis turns its direction round.
    """
    if plane.position is None or plane.spacing_mm is None:
        raise ValueError("the plane has no position or no spacing")
    (down, along), (row, column) = plane.spacing_mm, grid.offset
    corner = [
        start + across * along * column + below * down * row
        for start, across, below in zip(plane.position, plane.along, plane.down, strict=True)
    ]
    return replace(
        plane,
        along=_turned(plane.along, grid.scale[1]),
        down=_turned(plane.down, grid.scale[0]),
        position=(corner[0], corner[1], corner[2]),
        spacing_mm=(down * abs(grid.scale[0]), along * abs(grid.scale[1])),
    )


def stand_in_plane(
    header: Dataset, spacing_mm: tuple[float, float] | None, *, frame_of_reference: str
) -> ImagePlane:
    """A plane for an image without one, which Parametric Maps need: the pixel grid itself.

    It begins at 0 and has the directions of Patient Orientation where that says them, else those of x and y.
    A distance that is unknown is 1.
    """
    along, down = (
        DIRECTIONS.get(str(side)[:1]) for side in (*(header.get("PatientOrientation") or ()), "", "")[:2]
    )
    if along is None or down is None or any(a and b for a, b in zip(along, down, strict=True)):
        along, down = DIRECTIONS["L"], DIRECTIONS["P"]
    return ImagePlane(
        along, down, (0.0, 0.0, 0.0), spacing_mm or (float(aspect_of(header)), 1.0), frame_of_reference
    )


def spacing_of(header: Dataset, frame: int) -> tuple[float, float] | None:
    """Distances of pixel centres in mm (down a column, along a row), in the patient or at the detector."""
    for item in (group_of(header, frame, "PixelMeasuresSequence"), header):
        for keyword in SPACINGS if item is not None else ():
            if pair := _positive_pair(item, keyword):
                return pair
    return None


def spacing_shown(
    header: Dataset, frame: int, of_run: tuple[float, float] | None
) -> tuple[float, float] | None:
    """The spacing in mm of every object about a frame: of its plane in the patient, else that of the run.

    The run knows magnification, the study table and ultrasound regions, which no element for itself tells.
    """
    plane = plane_of(header, frame)
    return plane.spacing_mm if plane else of_run


def aspect_of(header: Dataset) -> Fraction:
    """Height of a pixel divided by its width, for images without a spacing; 1 if it is not stated."""
    pair = _positive_pair(header, "PixelAspectRatio")
    return Fraction(pair[0]) / Fraction(pair[1]) if pair else Fraction(1)


def _positive_pair(item: Dataset, keyword: str) -> tuple[float, float] | None:
    values = _numbers(item, keyword)
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None  # noqa: PLR2004  two axes


def _frames(header: Dataset) -> int:
    return int(header.get("NumberOfFrames") or 1)


def _numbers(item: Dataset, keyword: str) -> Sequence[float]:
    """The finite numbers of an element; empty if it is missing or holds anything else."""
    value = item.get(keyword)
    try:
        found = [float(part) for part in value or ()]
    except (TypeError, ValueError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


def _turned(direction: Vector, scale: float) -> Vector:
    sign = math.copysign(1, scale)
    return direction[0] * sign, direction[1] * sign, direction[2] * sign

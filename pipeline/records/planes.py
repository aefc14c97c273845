"""Planes: where an image lies in the patient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Vector: TypeAlias = tuple[float, float, float]
"""Towards the patient's left, back and head (PS3.3, C.7.6.2.1.1)."""

Directions: TypeAlias = tuple[str, str]
"""Where rows lead in the patient (to rising columns) and where columns lead (to rising rows): R, L, A, P, H,
F; of oblique images several, the main direction first (PS3.3, C.7.6.1.1.1)."""
SpacingAt: TypeAlias = Literal["patient", "detector", "film", "unstated", "table", "file", ""]
"""Where the pixel spacing was measured: in the patient, at the detector, on a digitised film; `unstated`: by
a projection image that does not say which; `table`: by the table of the studies; `file`: by a file that is
not DICOM; empty: unknown, or no spacing."""

SQUARE = 0.01
"""Largest cosine between rows and columns of an image."""


@dataclass(frozen=True, slots=True)
class ImagePlane:
    """The grid of an image in the patient, from its Image Plane Module (PS3.3, C.7.6.2)."""

    along: Vector
    """Unit vector along a row, in the direction of rising columns."""
    down: Vector
    """Unit vector down a column."""
    position: Vector | None = None
    """Centre of the first pixel in mm; None if unknown."""
    spacing_mm: tuple[float, float] | None = None
    """Distance between neighbouring pixel centres (down a column, along a row); None if unknown."""
    frame_of_reference: str = ""
    """UID of the coordinate system; empty if unknown."""


def image_plane(
    orientation: Sequence[float],
    position: Sequence[float] = (),
    spacing_mm: Sequence[float] = (),
    frame_of_reference: str = "",
) -> ImagePlane | None:
    """The plane of Image Orientation (Patient) and the elements beside it; None if they give no plane.

    A position or spacing that is incomplete or not positive counts as unknown.
    """
    if len(orientation) != 6 or not all(map(math.isfinite, orientation)):  # noqa: PLR2004  two vectors
        return None
    along, down = _unit(orientation[:3]), _unit(orientation[3:])
    if along is None or down is None or abs(sum(a * b for a, b in zip(along, down, strict=True))) > SQUARE:
        return None
    return ImagePlane(
        along,
        down,
        (position[0], position[1], position[2]) if len(position) == 3 else None,  # noqa: PLR2004  x, y, z
        (spacing_mm[0], spacing_mm[1]) if len(spacing_mm) == 2 and min(spacing_mm) > 0 else None,  # noqa: PLR2004
        frame_of_reference,
    )


def _unit(vector: Sequence[float]) -> Vector | None:
    length = math.hypot(*vector)
    return (vector[0] / length, vector[1] / length, vector[2] / length) if length else None

"""Graphics: the graphic types of DICOM (PS3.3, C.10.5, C.18.6, C.18.9) → shapes in pixels or in the patient.

In pixels, coordinates are column and row, and count from the image's corner: the centre of the first pixel is
at 0.5, 0.5. An ellipse is given by the ends of its two axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.in_patient import mm_of
from pipeline.annotations.shapes import ELLIPSE_CORNERS, Geometry, InPatient, Problem, point_of, polygon_of
from pipeline.errors import CaseError

Points = NDArray[np.float64]
OPEN = Problem("no_area", "A line is open, so that it marks no area; close it by its first point.")
UNKNOWN = Problem(
    "bad_shape", "A graphic is neither a point, a polyline, a circle nor an ellipse; draw one of these."
)
POINTS = {"POINT": 1, "CIRCLE": 2, "ELLIPSE": 4}
"""Type → number of its points."""
MALFORMED = "A graphic has another number of coordinates than its type; export it again."


def graphics_of(kind: str, numbers: Points, *, filled: bool = False) -> Iterator[Geometry]:
    """The shapes of a graphic in pixels; a `filled` line counts as closed. Raises CaseError "bad_shape"."""
    points = _points(kind, numbers, 2)
    if kind in {"POINT", "MULTIPOINT"}:
        yield from (point_of(x, y) for x, y in points.tolist())
    elif kind == "POLYLINE":
        yield polygon_of(points) if filled or _is_closed(points) else OPEN
    elif kind == "CIRCLE":
        (x, y), edge = points
        radius = math.hypot(*(edge - points[0]))
        yield polygon_of(
            _ellipse(np.array([[x - radius, y], [x + radius, y], [x, y - radius], [x, y + radius]]))
        )
    elif kind == "ELLIPSE":
        yield polygon_of(_ellipse(points))
    else:
        yield UNKNOWN


def graphics_in_patient(kind: str, numbers: Points, system: str) -> Iterator[Geometry]:
    """The shapes of a graphic in mm; `system` is its frame of reference. Raises CaseError "bad_shape"."""
    points = _points(kind, numbers, 3)
    if kind in {"POINT", "MULTIPOINT"}:
        yield from (InPatient((mm_of(point),), system, is_point=True) for point in points)
    elif kind in {"POLYLINE", "POLYGON"}:
        yield InPatient((mm_of(points.ravel()),), system) if _is_closed(points) else OPEN
    elif kind == "ELLIPSE":
        yield InPatient((mm_of(_ellipse(points).ravel()),), system)
    else:
        yield UNKNOWN


def _points(kind: str, numbers: Points, axes: int) -> Points:
    """The points (n, axes). Raises CaseError "bad_shape"."""
    if (
        numbers.size == 0
        or numbers.size % axes
        or numbers.size != axes * POINTS.get(kind, numbers.size // axes)
    ):
        raise CaseError("bad_shape", MALFORMED)
    if not np.isfinite(numbers).all():
        raise CaseError("bad_shape", "A graphic has coordinates that are not numbers; export it again.")
    return numbers.reshape(-1, axes)


def _is_closed(points: Points) -> bool:
    return len(points) > 1 and np.array_equal(points[0], points[-1])


def _ellipse(ends: Points) -> Points:
    """Corners of the polygon of an ellipse with those ends of its two axes."""
    angles = np.arange(ELLIPSE_CORNERS)[:, None] * (2 * math.pi / ELLIPSE_CORNERS)
    first, second = (ends[0] - ends[1]) / 2, (ends[2] - ends[3]) / 2
    return np.asarray(ends.mean(axis=0) + np.cos(angles) * first + np.sin(angles) * second)

"""Shapes: what annotation tools draw, in the image coordinates of Heatproof.

These count from the centre of the image's first pixel; `box_of`, `point_of` and `polygon_of` convert the
coordinates of tools, which mostly count from the image's corner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.bitmaps import Bitmap
from pipeline.annotations.run_lengths import Runs
from pipeline.errors import CaseError
from pipeline.records import Box, ImagePlane, Notice, Outline, Point, Says, Shape

PIXEL_CENTRE = 0.5
"""Pixels from the image's corner to the centre of its first pixel, the origin of image coordinates."""
Origin: TypeAlias = Literal["corner", "centre"]
"""Where the coordinates 0, 0 are: at the image's corner, or at the centre of its first pixel."""
ELLIPSE_CORNERS = 256
"""Corners of the polygon of an ellipse, whose area is then smaller by a share of 10⁻⁴ (2 π² / 3 n²)."""
NO_NUMBERS = "has coordinates that are not numbers, or not in pairs; correct or remove it."


class Polygon(NamedTuple):
    """One object: the union of its parts without its holes, each a closed outline as float32 (x, y)."""

    parts: tuple[bytes, ...]
    holes: tuple[bytes, ...] = ()

    @property
    def is_outline(self) -> bool:
        """Whether it is a single outline."""
        return len(self.parts) == 1 and not self.holes


class Contours(NamedTuple):
    """One object: what lies inside an odd number of its outlines."""

    outlines: tuple[bytes, ...]


class InPatient(NamedTuple):
    """One object in the patient: its contours, or a point, as float32 (x, y, z) in mm."""

    contours: tuple[bytes, ...]
    frame_of_reference: str = ""
    """UID of the coordinate system; empty if unknown."""
    is_point: bool = False


class Crowd(NamedTuple):
    """A mask of several objects that are not told apart."""

    runs: Runs


class Shares(NamedTuple):
    """A box or polygon in shares of the image's width and height, from the image's corner."""

    shape: Box | Polygon


class Problem(NamedTuple):
    """Why a shape cannot be used, as the arguments of a CaseError."""

    reason: str
    message: str


Geometry: TypeAlias = (
    Box | Point | Polygon | Contours | InPatient | Runs | Bitmap | Crowd | Shares | Problem | None
)
"""None: the reader says that the finding is absent."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One shape of a file."""

    image: str
    finding: str | None
    """None: the one that the image's label calls present."""
    geometry: Geometry
    reader: str = "reader"
    frame: int | None = None
    size: Shape | None = None
    """Size of the image, if the file states it."""
    place: ImagePlane | None = None
    """The plane by which the image is found, if the file does not name it."""
    says: Says = "shapes"
    notices: tuple[Notice, ...] = ()


def tag(image: str, finding: str, reader: str) -> Drawn:
    """What a reader says of the whole image: that it shows the finding."""
    return Drawn(image, finding, None, reader, says="present")


def looked_at(image: str, reader: str) -> Drawn:
    """What a file says by listing an image; it counts if there is nothing else on the image."""
    return Drawn(image, None, None, reader, says="nothing")


def not_read(image: str, message: str, reader: str) -> Drawn:
    """Something about the whole image that is listed as not read."""
    return Drawn(image, None, Problem("not_read", message), reader, says="present")


def word(finding: str, reader: str) -> Drawn:
    """A finding that a file may name on any image."""
    return Drawn("", finding, None, reader, says="word")


def box_of(x: Any, y: Any, width: Any, height: Any, *, origin: Origin = "corner") -> Box:
    """The box with that corner and size in pixels. Raises CaseError "bad_box"."""
    left, top, wide, high = _numbers((x, y, width, height), "box")
    shift = _shift(origin)
    return Box(left - shift, top - shift, wide, high)


def point_of(x: Any, y: Any, *, origin: Origin = "corner") -> Point:
    """The point at that place in pixels. Raises CaseError "bad_point"."""
    across, down = _numbers((x, y), "point")
    return Point(across - _shift(origin), down - _shift(origin))


def polygon_of(*parts: Any, holes: Sequence[Any] = (), origin: Origin = "corner") -> Polygon:
    """The polygon with outlines of (x, y) in pixels, or x and y in turn. Raises CaseError "bad_polygon"."""
    coded = [tuple(_coded(part, _shift(origin)) for part in several) for several in (parts, holes)]
    return Polygon(coded[0], coded[1])


def ellipse_of(
    x: Any, y: Any, across: Any, down: Any, *, degrees: Any = 0, origin: Origin = "corner"
) -> Polygon:
    """The ellipse with that centre and radii in pixels, turned clockwise. Raises CaseError "bad_polygon"."""
    middle_x, middle_y, wide, high, turn = _numbers((x, y, across, down, degrees), "polygon")
    angles = np.arange(ELLIPSE_CORNERS) * (2 * math.pi / ELLIPSE_CORNERS)
    points = np.stack([wide * np.cos(angles), high * np.sin(angles)], axis=1)
    return polygon_of(turned(points, turn) + np.array([middle_x, middle_y]), origin=origin)


def turned(points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Points (x, y) turned about 0, 0: clockwise on the screen, where y points down."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]))


def outline_of(coded: bytes) -> Outline:
    """The outline in a part of a polygon."""
    return np.frombuffer(coded, "<f4").reshape(-1, 2).astype(np.float32)


def _shift(origin: Origin) -> float:
    return PIXEL_CENTRE if origin == "corner" else 0.0


def _numbers(values: Sequence[Any], what: str) -> list[float]:
    """The values as numbers; XML has them as text."""
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError, OverflowError) as error:
        raise CaseError(f"bad_{what}", f"A {what} {NO_NUMBERS}") from error


def _coded(points: Any, shift: float) -> bytes:
    try:
        outline = np.asarray(points, np.float64).reshape(-1, 2) - shift
    except (TypeError, ValueError, OverflowError) as error:
        raise CaseError("bad_polygon", f"A polygon {NO_NUMBERS}") from error
    if len(outline) > 1 and np.array_equal(outline[0], outline[-1]):
        outline = outline[:-1]  # closed by its first point, which `Outline` does not repeat
    with np.errstate(over="ignore"):  # to infinity, which is refused when the polygon is read
        return outline.astype("<f4").tobytes()

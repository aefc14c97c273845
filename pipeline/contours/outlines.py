"""Outlines: sub-pixel polygons around one component of a thresholded map."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from pipeline.records import Intensity, Mask, Outline

MARGIN = 1
"""Pixels around a component, so that its outline is closed."""
SIMPLIFIED_WITHIN_PX = 0.05
"""Vertices nearer than this to the straight line between their neighbours are left out."""
CORNERS = 3
"""The least that encloses an area."""


def outlines(placed: Intensity, component: Mask, level: float) -> tuple[Outline, ...]:
    """Where `placed` crosses `level` around `component`: the outer boundary first, then holes.

    Both arrays have the margin around the component; `level`, a float32, is at most the component's minimum
    and above everything beside it. (x, y) counts from the centre of the margin's top left pixel.
    """
    below = np.nextafter(level, -np.inf)  # in float64, so that a pixel exactly at the level is inside
    polygons = _polygons(placed, below)
    if not polygons:  # the level touches no more than single pixels or a line of them
        polygons = _polygons(component, 0.5)
    return tuple(sorted(polygons, key=_area, reverse=True))


def folded_margin(placed: Intensity, level: float) -> Intensity:
    """`placed` with a margin in which every value is mirrored to below `level`.

    So the outline of a region at the image's border runs along the outer edge of the border's pixels.
    """
    padded = np.pad(placed, MARGIN, mode="edge")
    highest = np.nextafter(np.float32(level), np.float32(-np.inf))
    for edge in (padded[0], padded[-1], padded[:, 0], padded[:, -1]):
        edge[:] = np.minimum(level - np.abs(edge - level), highest)
    return padded


def _polygons(placed: NDArray[np.generic], level: float) -> list[Outline]:
    """Closed polygons of at least three corners; diagonal neighbours at or above the level are connected."""
    found = find_contours(placed, level, fully_connected="high")
    return [polygon for polygon in map(_simplified, found) if len(polygon) >= CORNERS]


def _simplified(contour: NDArray[np.float64]) -> Outline:
    """(row, column) with the last point repeated → (x, y) without it, and without needless points."""
    points = contour[:-1, ::-1].astype(np.float32)
    return np.asarray(cv2.approxPolyDP(points, SIMPLIFIED_WITHIN_PX, closed=True), np.float32).reshape(-1, 2)


def _area(polygon: Outline) -> float:
    return float(cv2.contourArea(polygon))

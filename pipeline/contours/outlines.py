"""Outlines: sub-pixel polygons around one component of a thresholded map."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

from pipeline.records import Intensity, Mask, Outline

MARGIN = 1
"""Pixels added around a component so that its outline is closed."""
SIMPLIFIED_WITHIN_PX = 0.05
"""Tolerance of the simplification: vertices nearer than this to the line between their neighbours go."""
CORNERS = 3
"""Fewest vertices of a polygon with an area."""


def outlines(placed: Intensity, component: Mask, level: float) -> tuple[Outline, ...]:
    """Outlines of `component`, where `placed` crosses `level`: the outer boundary first, then holes.

    Both arrays include the margin. `placed` is the relevance on the image grid: at least `level` (a float32)
    inside the component and below it elsewhere. (x, y) is relative to the centre of the margin's top left
    pixel.
    """
    below = np.nextafter(level, -np.inf)  # in float64, so that a pixel exactly at the level is inside
    polygons = _polygons(placed, below)
    if not polygons:  # only single pixels, or a line of pixels, are at the level
        polygons = _polygons(component, 0.5)
    return tuple(sorted(polygons, key=_area, reverse=True))


def folded_margin(placed: Intensity, level: float) -> Intensity:
    """`placed` with a margin in which each border value is mirrored at `level`, to below it.

    The outline of a region at the image's border then follows the outer edge of the border pixels.
    """
    padded = np.pad(placed, MARGIN, mode="edge")
    highest = np.nextafter(np.float32(level), np.float32(-np.inf))
    for edge in (padded[0], padded[-1], padded[:, 0], padded[:, -1]):
        edge[:] = np.minimum(level - np.abs(edge - level), highest)
    return padded


def _polygons(placed: NDArray[np.generic], level: float) -> list[Outline]:
    """Closed polygons of three or more vertices; diagonal neighbours at or above the level are connected."""
    found = find_contours(placed, level, fully_connected="high")
    return [polygon for polygon in map(_simplified, found) if len(polygon) >= CORNERS]


def _simplified(contour: NDArray[np.float64]) -> Outline:
    """Simplified (x, y) points of a (row, column) contour, without its repeated last point."""
    points = contour[:-1, ::-1].astype(np.float32)
    return np.asarray(cv2.approxPolyDP(points, SIMPLIFIED_WITHIN_PX, closed=True), np.float32).reshape(-1, 2)


def _area(polygon: Outline) -> float:
    return float(cv2.contourArea(polygon))

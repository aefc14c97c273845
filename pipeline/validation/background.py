"""Background: what of an image is not the patient, and how much of a shape lies there.

Background is (1) the padding: rows and columns of one single brightness, whichever, from the image's edge
inwards; and (2) whatever is nearly as dark as the darkest of the rest and connected to the image's edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity, Mask

DARK = 0.02
"""Of the range of brightness: up to here above the darkest, a pixel is as dark as air."""
BRIGHTEST = 99.5
"""The percentile that ends the range: burnt-in marks shall not set it."""
LONGEST = 256
"""Longer side of the grid on which the dark part is found: noise is averaged, thin bridges vanish."""
EVEN = 0.01
"""How far the brightness of a row or column of padding may reach: compression leaves traces."""
BAND = 0.15
"""Width of the band around a shape, of the root of its area."""
LEAST_BAND_PX = 2


def background(pixels: Intensity) -> Mask:
    """True beside the body, (rows, columns); all False in an image of one single brightness."""
    rows, columns = _within_padding(pixels)
    inner = pixels[rows, columns]
    if inner.size == 0:
        return np.zeros(pixels.shape, np.bool_)
    found = np.ones(pixels.shape, np.bool_)
    found[rows, columns] = _dark_from_the_edge(inner)
    return found


def shares(shape: Mask, beside: Mask) -> tuple[float, float]:
    """How much of a shape, and of the band around it, lies where `beside` is true, 0 … 1.

    A cyst that opens into the dark is dark inside, but not around: only both together say "not in the body".
    The band of a shape that fills the image is empty and counts as 0.
    """
    inside = float(beside[shape].mean())
    reach = max(LEAST_BAND_PX, round(BAND * float(np.sqrt(shape.sum()))))
    away = cv2.distanceTransform((~shape).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    band = (away <= reach) & ~shape
    return inside, float(beside[band].mean()) if band.any() else 0.0


def _within_padding(pixels: Intensity) -> tuple[slice, slice]:
    """The rows and columns between the padding; none where all is padding."""
    rows, columns = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
    before = None
    # Where rows at the top were cut off, columns may turn out even.
    while (rows, columns) != before and pixels[rows, columns].size:
        before = rows, columns
        rows = _cut(rows, np.ptp(pixels[rows, columns], axis=1) > EVEN)
        if pixels[rows, columns].size:
            columns = _cut(columns, np.ptp(pixels[rows, columns], axis=0) > EVEN)
    return rows, columns


def _cut(lines: slice, uneven: NDArray[np.bool_]) -> slice:
    """From the first to the last of `lines` that is uneven."""
    there = np.flatnonzero(uneven)
    return slice(lines.start + int(there[0]), lines.start + int(there[-1]) + 1) if there.size else slice(0, 0)


def _dark_from_the_edge(pixels: Intensity) -> NDArray[np.bool_]:
    """The dark part that is 4-connected to the edge, on the grid of `pixels`."""
    small = _shrunk(pixels)
    darkest, brightest = np.percentile(small, [0, BRIGHTEST])
    dark = small <= darkest + DARK * (brightest - darkest)
    beyond = np.pad(dark, 1, constant_values=True)
    _, parts = cv2.connectedComponents(beyond.astype(np.uint8), connectivity=4)
    reached = (parts == parts[0, 0])[1:-1, 1:-1]
    rows, columns = pixels.shape
    return np.asarray(
        cv2.resize(reached.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
    )


def _shrunk(pixels: Intensity) -> Intensity:
    rows, columns = pixels.shape
    factor = min(1.0, LONGEST / max(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA))

"""Background: the part of an image outside the patient, and how much of a shape lies in it.

Background is (1) padding: rows and columns of uniform brightness, from the image's edge inwards; and (2)
pixels within the padding that are nearly as dark as the darkest of them and connected to the edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity, Mask

DARK = 0.02
"""Share of the brightness range; a pixel within it of the darkest pixel counts as dark as air."""
BRIGHTEST = 99.5
"""Percentile that ends the brightness range, so that burned-in marks do not set it."""
LONGEST = 256
"""Longer side, in pixels, of the grid on which the dark part is found; it averages noise and thin bridges."""
EVEN = 0.01
"""Largest range of brightness (0 … 1) within a row or column of padding; compression leaves traces."""
BAND = 0.15
"""Width of the band around a shape, as a share of the square root of its area."""
LEAST_BAND_PX = 2


def background(pixels: Intensity) -> Mask:
    """Boolean mask (rows, columns), True outside the body; all False in an image of uniform brightness."""
    rows, columns = _within_padding(pixels)
    inner = pixels[rows, columns]
    if inner.size == 0:
        return np.zeros(pixels.shape, np.bool_)
    found = np.ones(pixels.shape, np.bool_)
    found[rows, columns] = _dark_from_the_edge(inner)
    return found


def shares(shape: Mask, outside_body: Mask) -> tuple[float, float]:
    """Shares (0 … 1) of a shape, and of the band around it, that lie outside the body.

    A dark cyst at the edge of the body can count as background itself, but the band around it cannot: only
    both shares together show that a shape lies outside the body. The band of a shape that fills the image is
    empty and counts as 0.
    """
    inside = float(outside_body[shape].mean())
    reach = max(LEAST_BAND_PX, round(BAND * float(np.sqrt(shape.sum()))))
    away = cv2.distanceTransform((~shape).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    band = (away <= reach) & ~shape
    return inside, float(outside_body[band].mean()) if band.any() else 0.0


def _within_padding(pixels: Intensity) -> tuple[slice, slice]:
    """Slices of the rows and columns inside the padding; empty slices if all is padding."""
    rows, columns = slice(0, pixels.shape[0]), slice(0, pixels.shape[1])
    before = None
    # Columns may become uniform once the rows of padding are removed, so repeat until nothing changes.
    while (rows, columns) != before and pixels[rows, columns].size:
        before = rows, columns
        rows = _trim(rows, np.ptp(pixels[rows, columns], axis=1) > EVEN)
        if pixels[rows, columns].size:
            columns = _trim(columns, np.ptp(pixels[rows, columns], axis=0) > EVEN)
    return rows, columns


def _trim(lines: slice, uneven: NDArray[np.bool_]) -> slice:
    """The part of `lines` from the first to the last uneven one; an empty slice if there is none."""
    kept = np.flatnonzero(uneven)
    return slice(lines.start + int(kept[0]), lines.start + int(kept[-1]) + 1) if kept.size else slice(0, 0)


def _dark_from_the_edge(pixels: Intensity) -> NDArray[np.bool_]:
    """Boolean mask, on the grid of `pixels`, of dark pixels that are 4-connected to the edge."""
    small = _shrunk(pixels)
    darkest, brightest = np.percentile(small, [0, BRIGHTEST])
    dark = small <= darkest + DARK * (brightest - darkest)
    padded = np.pad(dark, 1, constant_values=True)
    _, parts = cv2.connectedComponents(padded.astype(np.uint8), connectivity=4)
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

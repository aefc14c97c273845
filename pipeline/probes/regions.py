"""Regions: the body in an image, and the places elsewhere in it to which a region can be moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_dilation, binary_fill_holes, gaussian_filter, label
from scipy.signal import correlate

from pipeline.records import Intensity, Mask, Shape, Values

SIDE = 160
"""Longest side of the grid on which the body and places are searched, in pixels."""
DARK = 0.08
"""Share of the brightest part of an image up to which smoothed pixels count as background."""
BRIGHTEST = 99.0
"""Percentile that counts as the brightest part, so that a marker does not."""
SMALL = 0.1
"""Share of the largest bright part's area below which another part is not tissue."""
MARGIN = 0.1
"""Width by which a region is widened before it is replaced, in sides of a square of its area."""
RING = 3
"""Width of the surroundings of a region whose brightness is compared, in cells of the search grid."""
NEAR = 0.1
"""Distance within which a place counts as the same, in the longer side of the image."""
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Shift:
    """Where a region is moved to, in pixels of the image."""

    rows: int
    columns: int
    contrast: float
    """Difference in mean brightness between the surroundings there and the region's own."""


def body(pixels: Intensity) -> Mask:
    """The part of an image (rows, columns) that shows tissue; dark parts that it encloses count as tissue.

    Bright parts that are small and lie apart, such as markers, do not.
    """
    smooth = gaussian_filter(_reduced(pixels), 1.0)
    parts, _ = label(binary_fill_holes(smooth > DARK * np.percentile(smooth, BRIGHTEST)))
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    large = areas >= max(SMALL * areas.max(), 1)
    return _enlarged(large[parts], _shape(pixels))


def widened(region: Mask) -> Mask:
    """The region with a margin, so that nothing of a lesion's border remains when it is replaced."""
    margin = max(2, round(MARGIN * float(np.sqrt(region.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    wide: Mask = cv2.dilate(region.astype(np.uint8), kernel).astype(bool)
    return wide


def moved(region: Mask, shift: Shift) -> Mask:
    """The region at another place; it must lie within the image there."""
    rows, columns = np.nonzero(region)
    result = np.zeros_like(region)
    result[rows + shift.rows, columns + shift.columns] = True
    return result


def places(pixels: Intensity, region: Mask, *, within: Mask, without: Mask) -> list[Shift]:
    """Where else the region fits, apart from each other: those with the most similar surroundings first.

    Each place lies wholly `within` a mask and touches no pixel of `without`, nor the region itself.
    """
    image, small = _reduced(pixels), _any(region)
    top, left, window = _window(small)
    fits = _fits(window, _all(within & ~without & ~region))
    contrast = np.abs(_surroundings(image, window) - _surrounding(image, small))
    contrast[~fits] = np.inf
    scale = _scale(_shape(pixels), image.shape)
    return list(_apart(contrast, window, (top, left), scale, region))


def nearest_place(region: Mask, *, within: Mask) -> Shift | None:
    """The least move after which the region lies within a mask; None if it is longer than NEAR."""
    top, left, window = _window(_any(region))
    fits = _fits(window, _all(within))
    rows, columns = np.indices(fits.shape)
    distance = np.where(fits, np.hypot(rows - top, columns - left), np.inf)
    row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
    if distance[row, column] > NEAR * max(_small_shape(_shape(within))):
        return None
    scale = _scale(_shape(within), _small_shape(_shape(within)))
    shift = Shift(round((int(row) - top) * scale[0]), round((int(column) - left) * scale[1]), 0.0)
    return shift if _lies_inside(region, shift) else None


def _fits(window: Values, allowed: Mask) -> Mask:
    """Where the top left corner of a window can be so that what it holds is allowed."""
    hidden = correlate((~allowed).astype(np.float64), window, mode="valid", method="fft")
    fits: Mask = hidden < HALF
    return fits


def _apart(
    contrast: Values, window: Values, start: Shape, scale: tuple[float, float], region: Mask
) -> Iterator[Shift]:
    """The best places, one after another, each of which does not overlap those before it."""
    rows, columns = window.shape
    while np.isfinite(contrast).any():
        row, column = np.unravel_index(int(np.argmin(contrast)), contrast.shape)
        shift = Shift(
            round((int(row) - start[0]) * scale[0]),
            round((int(column) - start[1]) * scale[1]),
            float(contrast[row, column]),
        )
        contrast[max(row - rows + 1, 0) : row + rows, max(column - columns + 1, 0) : column + columns] = (
            np.inf
        )
        if _lies_inside(region, shift):
            yield shift


def _lies_inside(region: Mask, shift: Shift) -> bool:
    rows, columns = np.nonzero(region)
    ends = ((rows, shift.rows, region.shape[0]), (columns, shift.columns, region.shape[1]))
    return all(index.min() + by >= 0 and index.max() + by < size for index, by, size in ends)


def _window(small: Mask) -> tuple[int, int, Values]:
    """Top row, left column and content of the smallest window that holds the region."""
    rows, columns = np.nonzero(small)
    top, left = int(rows.min()), int(columns.min())
    return top, left, small[top : rows.max() + 1, left : columns.max() + 1].astype(np.float64)


def _surrounding(image: Values, small: Mask) -> float:
    """Mean brightness around the region."""
    ring = binary_dilation(small, iterations=RING) & ~small
    return float(image[ring].mean()) if ring.any() else float(image.mean())


def _surroundings(image: Values, window: Values) -> Values:
    """Mean brightness around the region at every place of its window."""
    wide = np.pad(window > HALF, RING)
    ring = (binary_dilation(wide, iterations=RING) & ~wide).astype(np.float64)
    padded, known = np.pad(image, RING), np.pad(np.ones_like(image), RING)
    sums = correlate(padded, ring, mode="valid", method="fft")
    means: Values = sums / np.maximum(correlate(known, ring, mode="valid", method="fft"), 1.0)
    return means


def _shape(pixels: Intensity | Mask) -> Shape:
    rows, columns = pixels.shape
    return rows, columns


def _small_shape(shape: Shape) -> Shape:
    factor = min(1.0, SIDE / max(shape))
    return max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)


def _scale(shape: Shape, small: tuple[int, ...]) -> tuple[float, float]:
    return shape[0] / small[0], shape[1] / small[1]


def _reduced(pixels: Intensity) -> Values:
    """Mean brightness in each cell of the search grid."""
    rows, columns = _small_shape(_shape(pixels))
    reduced: Values = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float64)
    return reduced


def _any(mask: Mask) -> Mask:
    """Cells with any pixel of a mask."""
    return _reduced(mask.astype(np.float32)) > 0


def _all(mask: Mask) -> Mask:
    """Cells that lie wholly in a mask."""
    return ~_any(~mask)


def _enlarged(small: Mask, shape: Shape) -> Mask:
    enlarged: Mask = cv2.resize(small.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return enlarged

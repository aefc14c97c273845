"""Edges: the outlines of a mask, halfway between inside and outside pixels.

Marching squares at 0.5 (Lorensen & Cline 1987, in the plane), like `skimage.measure.find_contours`,
without vertices on straight lines. A mask needs no interpolation, so all squares are processed at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Mask, Outline

TOP, RIGHT, BOTTOM, LEFT = range(4)
"""Sides of the square between the centres of four neighbouring pixels."""
STEPS = np.array(
    [
        [0b1000, TOP, LEFT],
        [0b0100, RIGHT, TOP],
        [0b0010, LEFT, BOTTOM],
        [0b0001, BOTTOM, RIGHT],
        [0b0111, LEFT, TOP],
        [0b1011, TOP, RIGHT],
        [0b1101, BOTTOM, LEFT],
        [0b1110, RIGHT, BOTTOM],
        [0b1100, RIGHT, LEFT],
        [0b0011, LEFT, RIGHT],
        [0b1010, TOP, BOTTOM],
        [0b0101, BOTTOM, TOP],
        [0b1001, TOP, LEFT],
        [0b0110, RIGHT, TOP],
    ]
)
"""Code of the square's inside pixels (top left, top right, bottom left, bottom right), and the two sides that
its outline connects, clockwise around the inside."""
SECOND_STEPS = np.array([[0b1001, BOTTOM, RIGHT], [0b0110, LEFT, BOTTOM]])
"""The second outline of squares with two: pixels that only touch at a corner are not connected."""
ALL_INSIDE = 0b1111
SIDES = np.zeros((2, ALL_INSIDE + 1, 2), np.intp)
"""STEPS and SECOND_STEPS as a lookup by (first or second step, code of the square, start or end)."""
SIDES[0, STEPS[:, 0]] = STEPS[:, 1:]
SIDES[1, SECOND_STEPS[:, 0]] = SECOND_STEPS[:, 1:]


def mask_outlines(mask: Mask) -> list[Outline]:
    """Closed polygons around the parts of a mask and around their holes, (x, y) in image coordinates."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corner = np.array([columns[0] - 1, rows[0] - 1], np.float32)
    return [_without_collinear(points) + corner for points in _rings(np.pad(part, 1))]


def _rings(mask: Mask) -> Iterator[Outline]:
    """Closed outlines as (x, y) in the padded mask."""
    start, end = _steps(mask)
    order = np.argsort(start)
    crossings = start[order]
    following = np.searchsorted(crossings, end[order]).tolist()
    points = _points(crossings, mask.shape[1])
    left = bytearray(b"\x01") * len(following)
    for first in range(len(following)):
        if left[first]:
            ring = []
            at = first
            while left[at]:
                left[at] = 0
                ring.append(at)
                at = following[at]
            yield points[ring]


def _steps(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Start and end crossing of each step of the outlines.

    The crossing to the right of pixel p has the number 2 p, the crossing below it 2 p + 1.
    """
    pixel = mask.view(np.uint8)
    code = pixel[:-1, :-1] << 3 | pixel[:-1, 1:] << 2 | pixel[1:, :-1] << 1 | pixel[1:, 1:]
    columns = mask.shape[1]
    offsets = np.array([0, 3, 2 * columns, 1])  # of TOP, RIGHT, BOTTOM, LEFT, relative to the top left pixel
    mixed = np.flatnonzero((code != 0) & (code != ALL_INSIDE))
    code = code.ravel()[mixed]
    square = 2 * (mixed // (columns - 1) * columns + mixed % (columns - 1))
    has_second = np.isin(code, SECOND_STEPS[:, 0])
    first = square[:, None] + offsets[SIDES[0, code]]
    second = square[has_second, None] + offsets[SIDES[1, code[has_second]]]
    start, end = np.concatenate([first, second]).T
    return start, end


def _points(crossings: NDArray[np.intp], columns: int) -> Outline:
    pixel, below = crossings // 2, crossings % 2
    x, y = pixel % columns + (1 - below) / 2, pixel // columns + below / 2
    return np.stack([x, y], axis=1).astype(np.float32)


def _without_collinear(ring: Outline) -> Outline:
    """The outline without vertices in the middle of a straight line."""
    onward = np.roll(ring, -1, axis=0) - ring
    turns: Outline = ring[(onward != np.roll(onward, 1, axis=0)).any(axis=1)]
    return turns

"""Pieces: the connected parts and the holes of a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.records import Mask


@dataclass(frozen=True, slots=True)
class Piece:
    """A connected part of a mask, or a hole in it."""

    area_px: int
    row: int
    column: int
    """Row and column of its centre of gravity, rounded to whole pixels."""


def parts(mask: Mask) -> tuple[Piece, ...]:
    """The 8-connected parts, the largest first."""
    return _pieces(mask, connectivity=8)


def holes(masks: Sequence[Mask]) -> tuple[Piece, ...]:
    """Holes: areas that one mask encloses (4-connected) and no mask covers, the largest first.

    A gap between two touching masks is not a hole, because each mask is examined by itself.
    """
    if not masks:
        return ()
    covered = np.logical_or.reduce(masks)
    enclosed = np.zeros_like(covered)
    for mask in masks:
        part = _bounds(mask)
        enclosed[part] |= _enclosed(mask[part])
    return _pieces(enclosed & ~covered, connectivity=4)


def _enclosed(mask: Mask) -> Mask:
    """Mask of the areas outside a mask that are not connected to the image's edge."""
    outside = np.pad(~mask, 1, constant_values=True)
    _, labels = cv2.connectedComponents(outside.astype(np.uint8), connectivity=4)
    found: Mask = (outside & (labels != labels[0, 0]))[1:-1, 1:-1]
    return found


def _pieces(mask: Mask, *, connectivity: int) -> tuple[Piece, ...]:
    if not mask.any():
        return ()
    rows, columns = _bounds(mask)
    part = mask[rows, columns].astype(np.uint8)
    _, _, facts, centres = cv2.connectedComponentsWithStats(part, connectivity=connectivity)
    found = [
        Piece(int(area), round(rows.start + row), round(columns.start + column))
        for area, (column, row) in zip(facts[1:, cv2.CC_STAT_AREA], centres[1:].tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda piece: (-piece.area_px, piece.row, piece.column)))


def _bounds(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns of the bounding box, in which connected components are found many times faster."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

"""Pieces: the connected parts of a mask, and what it encloses without covering it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.records import Mask


@dataclass(frozen=True, slots=True)
class Piece:
    """A connected part, or a hole."""

    area_px: int
    row: int
    column: int
    """Its centre of gravity, rounded."""


def parts(mask: Mask) -> tuple[Piece, ...]:
    """The 8-connected parts, the largest first."""
    return _pieces(mask, connectivity=8)


def holes(masks: Sequence[Mask]) -> tuple[Piece, ...]:
    """What one of the masks encloses (4-connected) and none of them covers, the largest first.

    A gap between two masks that touch is none: each is looked at by itself.
    """
    if not masks:
        return ()
    covered = np.logical_or.reduce(masks)
    enclosed = np.zeros_like(covered)
    for mask in masks:
        enclosed |= _enclosed(mask)
    return _pieces(enclosed & ~covered, connectivity=4)


def _enclosed(mask: Mask) -> Mask:
    """What is outside a mask, and not connected to its surroundings."""
    outside = np.pad(~mask, 1, constant_values=True)
    _, labels = cv2.connectedComponents(outside.astype(np.uint8), connectivity=4)
    found: Mask = (outside & (labels != labels[0, 0]))[1:-1, 1:-1]
    return found


def _pieces(mask: Mask, *, connectivity: int) -> tuple[Piece, ...]:
    # Within its bounding box counting is many times faster.
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return ()
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8)
    _, _, facts, centres = cv2.connectedComponentsWithStats(part, connectivity=connectivity)
    found = [
        Piece(int(area), round(int(rows[0]) + row), round(int(columns[0]) + column))
        for area, (column, row) in zip(facts[1:, cv2.CC_STAT_AREA], centres[1:].tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda piece: (-piece.area_px, piece.row, piece.column)))

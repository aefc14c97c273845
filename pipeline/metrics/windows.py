"""Windows: the smallest rectangles around masks, so that a comparison reads no pixel that both leave out."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from pipeline.contracts import Side
from pipeline.records import Mask

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns of an image."""


def window_of(mask: Mask) -> tuple[slice, ...]:
    """The smallest window around the mask, one slice per axis; the mask must not be empty."""
    axes = range(mask.ndim)
    profiles = (np.flatnonzero(mask.any(axis=tuple(a for a in axes if a != axis))) for axis in axes)
    return tuple(slice(int(profile[0]), int(profile[-1]) + 1) for profile in profiles)


def window_around(mask: Mask) -> Window:
    """The smallest window around a mask of two axes; a window without pixels if the mask is empty."""
    if not mask.any():
        return slice(0, 0), slice(0, 0)
    rows, columns = window_of(mask)
    return rows, columns


def window_of_side(side: Side) -> Window:
    """The window around the union of a side."""
    return window_around(side.mask)


def common(one: Window, other: Window) -> Window:
    """The window that both share; without pixels if there is none."""
    rows, columns = (
        slice(max(first.start, second.start), max(min(first.stop, second.stop), first.start, second.start))
        for first, second in zip(one, other, strict=True)
    )
    return rows, columns

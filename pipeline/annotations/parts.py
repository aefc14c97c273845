"""Parts: a mask → its connected parts, each one lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.measure import label

from pipeline.records import Mask

SPECK = 1 / 1000
"""A part smaller than this share of the largest is a slip of the pen, and belongs to the nearest lesion."""


def parts_of(mask: Mask) -> tuple[Mask, ...]:
    """The 8-connected parts in reading order; specks belong to the nearest part that is not one."""
    numbers: NDArray[np.intp] = np.asarray(label(mask, connectivity=2))
    areas = np.bincount(numbers.ravel())[1:]
    if not areas.size:
        return ()
    specks = 1 + np.flatnonzero(areas < SPECK * areas.max())
    if specks.size:
        kept = np.where(np.isin(numbers, specks), 0, numbers)
        nearest = distance_transform_edt(kept == 0, return_distances=False, return_indices=True)
        numbers = np.where(mask, kept[tuple(nearest)], 0)
    return tuple(numbers == number for number in range(1, areas.size + 1) if number not in specks)

"""Masks: grey values → instances on the image's grid, each kept apart."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

from pipeline.errors import CaseError
from pipeline.records import Mask, Shape

Instances: TypeAlias = Literal["values", "components", "whole"]
"""What one instance is: the pixels of one non-zero value, an 8-connected part, or everything non-zero."""

MOST_INSTANCES = 64
"""More values than this are shades of a picture or the soft edge of a resampled mask, not lesions."""


def check_size(found: Shape, wanted: Shape) -> None:
    """Refuse ("mask_size") a mask that does not lie on the image's own grid."""
    if found == wanted:
        return
    swapped = "; rows and columns look swapped" if found == wanted[::-1] else ""
    raise CaseError(
        "mask_size",
        f"The mask has {found[0]} rows and {found[1]} columns, "
        f"its image {wanted[0]} and {wanted[1]}{swapped}.",
    )


def split(values: NDArray[np.generic], instances: Instances) -> tuple[Mask, ...]:
    """The instances in grey values (rows, columns), by rising value or in reading order; 0 is outside."""
    if not np.isfinite(values).all():
        raise CaseError("not_a_mask", "The mask holds values that are not numbers.")
    grid = values != 0
    if instances == "whole":
        return (grid,) if grid.any() else ()
    if instances == "components":
        values = np.asarray(label(grid, connectivity=2))
    found = [value for value in _distinct(values) if value != 0]
    if instances == "values" and len(found) > MOST_INSTANCES:
        raise CaseError(
            "not_a_mask",
            f"The mask holds {len(found)} different values, at most {MOST_INSTANCES} instances are read; "
            "it may be a picture or have soft edges.",
        )
    return tuple(values == value for value in found)


def _distinct(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The different values, rising. Most masks are binary; counting bytes is faster than sorting them."""
    highest = values.max(initial=0)
    if ((values == 0) | (values == highest)).all():
        return np.array([highest])
    if values.dtype == np.uint8:
        return np.flatnonzero(np.bincount(values.ravel(), minlength=256)).astype(np.uint8)
    return np.unique(values)

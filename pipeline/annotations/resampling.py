"""Resampling: masks at another resolution than their image, where the source's key `resample` says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.masks import check_size
from pipeline.errors import CaseError
from pipeline.records import ImagePlane, Mask, Shape

Resample: TypeAlias = Literal["refuse", "nearest"]
"""What becomes of a mask at another resolution: refused, or each pixel takes the nearest value."""

MOST_PIXELS = 2**27
"""Largest mask that is resampled; it is decoded as a whole."""


def check_fit(found: Shape, wanted: Shape, resample: Resample) -> None:
    """Raise CaseError "mask_size" if a mask neither has the size of its image nor may be resampled to it."""
    if found == wanted or not fits(found, wanted):
        check_size(found, wanted)
        return
    if resample == "refuse":
        raise CaseError(
            "mask_size",
            f"The mask has {found[0]} rows and {found[1]} columns, its image {wanted[0]} rows and "
            f"{wanted[1]} columns; save the mask at the size of its image, or set the source's key resample "
            "to nearest if the mask covers the whole image.",
        )
    check_pixels(found)


def check_pixels(found: Shape) -> None:
    """Raise CaseError "mask_size" if a mask is too large to be resampled."""
    if found[0] * found[1] > MOST_PIXELS:
        raise CaseError(
            "mask_size",
            f"The mask has more than {MOST_PIXELS:,} pixels, too many to be resampled; save it at the size "
            "of its image.",
        )


def fits(found: Shape, wanted: Shape) -> bool:
    """Whether two grids have the same ratio of sides, within one pixel of the coarser grid."""
    (rows, columns), (image_rows, image_columns) = found, wanted
    difference = abs(rows * image_columns - columns * image_rows)
    return rows * columns > 0 and difference <= max(*found, *wanted)


def on_grid(masks: tuple[Mask, ...], shape: Shape) -> tuple[Mask, ...]:
    """The masks (rows, columns) on the grid of an image of `shape`, which covers the same area.

    Each pixel takes the value in which its centre lies. A lesion between the centres keeps the pixel nearest
    its middle.
    """
    return tuple(mask if mask.shape == shape else _nearest(mask, shape) for mask in masks)


def resampled_plane(plane: ImagePlane, shape: Shape, to: Shape) -> ImagePlane:
    """The plane of an image of `shape` as a grid of other rows and columns that covers the same area."""
    if plane.position is None or plane.spacing_mm is None or shape == to:
        return plane
    spacing = [mm * count / other for mm, count, other in zip(plane.spacing_mm, shape, to, strict=True)]
    down, along = ((new - mm) / 2 for new, mm in zip(spacing, plane.spacing_mm, strict=True))
    x, y, z = np.array(plane.position) + down * np.array(plane.down) + along * np.array(plane.along)
    return replace(plane, position=(float(x), float(y), float(z)), spacing_mm=(spacing[0], spacing[1]))


def _nearest(mask: Mask, shape: Shape) -> Mask:
    rows, columns = (_places(count, of) for count, of in zip(shape, mask.shape, strict=True))
    resampled: Mask = mask[np.ix_(rows, columns)]
    if mask.any() and not resampled.any():
        middle = [(place.mean() + 0.5) for place in np.nonzero(mask)]
        row, column = (int(m * n / of) for m, n, of in zip(middle, shape, mask.shape, strict=True))
        resampled[row, column] = True
    return resampled


def _places(count: int, of: int) -> NDArray[np.int64]:
    """For each of `count` pixels, in which of `of` pixels over the same length its centre lies."""
    return (2 * np.arange(count, dtype=np.int64) + 1) * of // (2 * count)

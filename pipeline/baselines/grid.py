"""Grid: the grid of baselines over the whole image, and the share of each cell that a reference covers."""

from __future__ import annotations

import numpy as np
from PIL import Image

from pipeline.geometry import box_pixels
from pipeline.records import Box, Intensity, Mask, Reference, Shape

GRID: Shape = (224, 224)
"""(rows, columns) of a baseline's map; the input size of most networks."""


def occupancy(reference: Reference, shape: Shape, grid: Shape = GRID) -> Intensity | None:
    """Share of each cell of a grid covered by the reference's masks or filled boxes; None if it has neither.

    `shape` is the image's (rows, columns).
    """
    masks = [*reference.masks, *(_filled(box, shape) for box in reference.boxes)]
    if not masks:
        return None
    union = Image.fromarray(np.logical_or.reduce(masks).astype(np.float32), mode="F")
    return np.asarray(union.resize(grid[::-1], Image.Resampling.BILINEAR), np.float32)


def _filled(box: Box, shape: Shape) -> Mask:
    """Mask of the pixels whose centres lie in a box."""
    mask = np.zeros(shape, np.bool_)
    mask[box_pixels(box, shape)] = True
    return mask

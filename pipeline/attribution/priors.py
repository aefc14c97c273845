"""Priors: maps that never look at the image or the network. A method that cannot beat them has shown nothing.

They lie on a grid over the whole image, whatever its size, and are the same for every image.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from pipeline.records import Box, Intensity, Mask, Reference, Shape

GRID: Shape = (224, 224)
"""As fine as most networks' inputs."""
CENTER_WIDTH = 0.25
"""Standard deviation of the centre prior, as a share of the image's height and width."""


def center_prior() -> Intensity:
    """A Gaussian in the middle of the image, on `GRID`, 1 at its highest."""
    axes = [((np.arange(n) + 0.5) / n - 0.5) / CENTER_WIDTH for n in GRID]
    row, column = np.meshgrid(*axes, indexing="ij")
    return np.exp(-(row**2 + column**2) / 2).astype(np.float32)


def location_prior(occupancies: Iterable[Intensity]) -> Intensity | None:
    """The mean of what `occupancy` gives for the references of other images; None where there are none."""
    total, count = np.zeros(GRID), 0
    for share in occupancies:
        total += share
        count += 1
    return (total / count).astype(np.float32) if count else None


def occupancy(reference: Reference, shape: Shape) -> Intensity | None:
    """The share of each cell of `GRID` that the reference's masks or filled boxes cover; None without any.

    `shape` is the image's (rows, columns).
    """
    masks = [*reference.masks, *(_filled(box, shape) for box in reference.boxes)]
    if not masks:
        return None
    union = Image.fromarray(np.logical_or.reduce(masks).astype(np.float32), mode="F")
    return np.asarray(union.resize(GRID[::-1], Image.Resampling.BILINEAR), np.float32)


def _filled(box: Box, shape: Shape) -> Mask:
    """The pixels whose centres lie in a box."""
    rows, columns = (np.arange(n) for n in shape)
    inside_rows = (rows >= box.y) & (rows <= box.y + box.height)
    inside_columns = (columns >= box.x) & (columns <= box.x + box.width)
    return np.asarray(inside_rows[:, None] & inside_columns[None, :])

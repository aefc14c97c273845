"""Priors: maps that never look at the network. A method that cannot beat them has shown nothing.

They lie on a grid over the whole image, whatever its size. The centre and the location prior are the same for
every image, random numbers are drawn anew for each, and local contrast alone looks at the image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image

from pipeline.records import Box, Intensity, Mask, Reference, Shape

GRID: Shape = (224, 224)
"""As fine as most networks' inputs."""
CENTER_WIDTH = 0.25
"""Standard deviation of the centre prior, as a share of the image's height and width."""
COARSE: Shape = (7, 7)
"""The grid of most class activation maps: 224² at stride 32.

Noise on a finer grid would draw specks, which no method draws: any blob would beat it, wherever it lies.
"""
BITS = 24
"""Of a random number: as many as float32 holds exactly."""
WINDOW = 1 / 16
"""Side of the window of local contrast, as a share of the image's shorter side: about a rib's width."""
LEAST_CONTRAST = 1e-7
"""Less is rounding, which leaves some 1e-8 of an even grey; one level of 16 bits makes 1e-6."""


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


def uniform_random(*identity: str | int) -> Intensity:
    """Independent uniform numbers, 0 … 1, on `COARSE`; the same for the same identity, wherever it is drawn.

    The numbers are a hash of the identity: no state to resume, and no generator whose stream another version
    of a library could change.
    """
    count = COARSE[0] * COARSE[1]
    words = hashlib.shake_256(repr(identity).encode()).digest(4 * count)
    whole = np.frombuffer(words, "<u4") >> (32 - BITS)
    return np.asarray(whole.reshape(COARSE) / 2**BITS, np.float32)


def local_contrast(pixels: Intensity) -> Intensity:
    """Standard deviation of the grey values in a square window round each cell of `GRID`, 0 … 0.5.

    `pixels` (rows, columns) are 0 … 1. Beyond its edge the image is continued by its mirror image.
    """
    raster = Image.fromarray(np.ascontiguousarray(pixels, np.float32), mode="F")
    cells = np.asarray(raster.resize(GRID[::-1], Image.Resampling.BILINEAR), np.float64)
    window = [_odd(WINDOW * min(pixels.shape) * n / m) for n, m in zip(GRID, pixels.shape, strict=True)]
    mean, squares = (cv2.blur(v, window[::-1], borderType=cv2.BORDER_REFLECT) for v in (cells, cells**2))
    deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    return np.where(deviation < LEAST_CONTRAST, 0, deviation).astype(np.float32)


def _odd(cells: float) -> int:
    """The odd number nearest to a length: without a middle cell the map of a mirrored image would shift."""
    return 2 * int(cells / 2) + 1


def _filled(box: Box, shape: Shape) -> Mask:
    """The pixels whose centres lie in a box."""
    rows, columns = (np.arange(n) for n in shape)
    inside_rows = (rows >= box.y) & (rows <= box.y + box.height)
    inside_columns = (columns >= box.x) & (columns <= box.x + box.width)
    return np.asarray(inside_rows[:, None] & inside_columns[None, :])

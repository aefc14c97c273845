"""Local contrast: local standard deviation of the image, computed without the network."""

import cv2
import numpy as np
from PIL import Image

from pipeline.baselines.grid import GRID
from pipeline.contracts import Baseline
from pipeline.records import Intensity

WINDOW = 1 / 16
"""Side of the square window, as a share of the image's shorter side; about the width of a rib."""
LEAST_CONTRAST = 1e-7
"""Smaller deviations become 0. Rounding gives about 1e-8 on a uniform image, one 16-bit grey level 1e-6."""


def local_contrast(pixels: Intensity) -> Intensity:
    """Standard deviation of the grey values in a square window around each cell of `GRID`, 0 … 0.5.

    `pixels` (rows, columns) are 0 … 1. At its edges the image is padded by reflection.
    """
    raster = Image.fromarray(np.ascontiguousarray(pixels, np.float32), mode="F")
    cells = np.asarray(raster.resize(GRID[::-1], Image.Resampling.BILINEAR), np.float64)
    window = [_odd(WINDOW * min(pixels.shape) * n / m) for n, m in zip(GRID, pixels.shape, strict=True)]
    mean, squares = (cv2.blur(v, window[::-1], borderType=cv2.BORDER_REFLECT) for v in (cells, cells**2))
    deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    return np.where(deviation < LEAST_CONTRAST, 0, deviation).astype(np.float32)


def _odd(cells: float) -> int:
    """Nearest odd number: a window without a middle cell would shift the map of a mirrored image."""
    return 2 * int(cells / 2) + 1


LOCAL_CONTRAST = Baseline(
    reads="pixels",
    draw=local_contrast,
    title="local contrast",
    subject="the contrast of the image itself, without any network,",
)

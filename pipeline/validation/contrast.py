"""Contrast: how sharply brightness changes across a mask's outline, as drawn and were the mask turned over.

A lesion that can be outlined differs from what lies around it. The contrast is |mean inside − mean outside|
in a narrow band on either side of the outline, in units of the bands' standard deviation (Cohen's d, with the
mean of both variances). Where a mask was flipped on its way, the flip that undoes it has the higher contrast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity, Mask

SIDE = 48
"""Root of a mask's area in cells, after the image was shrunk: finer detail is noise."""
BAND = 0.1
"""Width of the bands, of the root of the mask's area."""
FEWEST = 8
"""Cells in a band, below which its mean says nothing."""
LEAST_VARIANCE = 1e-4
"""Of brightness, as of one grey level in a hundred: keeps a flat picture's contrast finite."""
MOST_OVERLAP = 0.5
"""IoU of a mask with itself turned over, from which on the two cannot be told apart."""

AS_DRAWN = "as drawn"
TURNS: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "flipped left to right": lambda image: image[:, ::-1],
    "flipped upside down": lambda image: image[::-1],
    "turned by 180 degrees": lambda image: image[::-1, ::-1],
    "transposed": np.transpose,
}
"""Each undoes itself, so turning the image over under the mask is as good as turning the mask over."""


def contrasts(pixels: Intensity, mask: Mask) -> dict[str, float]:
    """`AS_DRAWN` and each turn that moves the mask → its contrast; empty where the mask is too small."""
    image, shape = _shrunk(pixels, mask)
    inner, outer = _bands(shape)
    if min(inner.sum(), outer.sum()) < FEWEST:
        return {}
    found = {AS_DRAWN: _contrast(image[inner], image[outer])}
    for name, turn in TURNS.items():
        turned = turn(image)
        if turned.shape == image.shape and _overlap(shape, turn(shape)) < MOST_OVERLAP:
            found[name] = _contrast(turned[inner], turned[outer])
    return found


def _contrast(inside: Intensity, outside: Intensity) -> float:
    spread = (float(inside.var()) + float(outside.var())) / 2 + LEAST_VARIANCE
    return abs(float(inside.mean()) - float(outside.mean())) / float(np.sqrt(spread))


def _bands(shape: Mask) -> tuple[Mask, Mask]:
    """The band within the outline, and the one around it; the image's edge is no outline."""
    reach = max(1, round(BAND * float(np.sqrt(shape.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    cells = shape.astype(np.uint8)
    core = cv2.erode(cells, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    grown = cv2.dilate(cells, kernel) > 0
    return shape & ~core, grown & ~shape


def _shrunk(pixels: Intensity, mask: Mask) -> tuple[Intensity, Mask]:
    """Image and mask on a grid on which the mask is about `SIDE` wide; never finer than their own."""
    factor = min(1.0, SIDE / max(1.0, float(np.sqrt(mask.sum()))))
    rows, columns = (max(1, round(length * factor)) for length in mask.shape)
    shares = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return (
        np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)),
        shares >= 0.5,  # noqa: PLR2004  half a cell
    )


def _overlap(one: Mask, other: Mask) -> float:
    """Their IoU."""
    return float((one & other).sum() / (one | other).sum())

"""Contrast: change of brightness across a mask's outline, as drawn and with the mask flipped or rotated.

A lesion that can be outlined differs from its surroundings. The contrast is |mean inside − mean outside| in a
narrow band on either side of the outline, in units of the bands' standard deviation (Cohen's d, with the mean
of both variances). If a mask was flipped during export, the flip that undoes this has the higher contrast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity, Mask

SIDE = 48
"""Square root of a mask's area, in cells of the reduced image; finer detail is noise."""
BAND = 0.1
"""Width of the bands, as a share of the square root of the mask's area."""
FEWEST = 8
"""Fewest cells in a band for which its mean is used."""
LEAST_VARIANCE = 1e-4
"""Added to the variance of brightness, so that the contrast of a flat image stays finite."""
MOST_OVERLAP = 0.5
"""IoU of a mask with its flipped or rotated copy from which on the two are too similar to compare."""

AS_DRAWN = "as drawn"
TURNS: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "flipped left to right": lambda image: image[:, ::-1],
    "flipped upside down": lambda image: image[::-1],
    "turned by 180 degrees": lambda image: image[::-1, ::-1],
    "transposed": np.transpose,
}
"""Orientation → transform. Each is its own inverse, so the image is transformed instead of the mask."""


def contrasts(pixels: Intensity, mask: Mask) -> dict[str, float]:
    """`AS_DRAWN` and each orientation that moves the mask → its contrast; empty if the mask is too small."""
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
    """The bands inside and outside the outline; the image's edge does not count as an outline."""
    reach = max(1, round(BAND * float(np.sqrt(shape.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    cells = shape.astype(np.uint8)
    core = cv2.erode(cells, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    grown = cv2.dilate(cells, kernel) > 0
    return shape & ~core, grown & ~shape


def _shrunk(pixels: Intensity, mask: Mask) -> tuple[Intensity, Mask]:
    """Image and mask on a grid on which the mask is about `SIDE` cells wide; never finer than their own."""
    factor = min(1.0, SIDE / max(1.0, float(np.sqrt(mask.sum()))))
    rows, columns = (max(1, round(length * factor)) for length in mask.shape)
    shares = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return (
        np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)),
        shares >= 0.5,  # noqa: PLR2004  half a cell
    )


def _overlap(one: Mask, other: Mask) -> float:
    """IoU of two masks."""
    return float((one & other).sum() / (one | other).sum())

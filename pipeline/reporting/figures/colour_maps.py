"""Colour maps: grey images and maps over them, as RGB pixels, as static/colours.js draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Display, Intensity
from pipeline.reporting.figures.primitives import RGB

LEVELS: Final = 256
OPAQUE_FROM: Final = 0.5
"""Share of the scale; below, colours fade out and show the image."""
NARROWEST: Final = 1e-6
"""Least width of a window; prevents a division by zero."""
JET_CENTRES: Final = (0.75, 0.5, 0.25)
COLOUR_MAPS: Final = ("inferno", "viridis", "jet", "none")
"""`none` leaves maps out."""


@dataclass(frozen=True, slots=True)
class Shading:
    """How maps are coloured."""

    colours: str = "inferno"
    """One of `COLOUR_MAPS`."""
    opacity: float = 0.7
    """0 … 1, of the strongest relevance."""
    uniform: bool = False
    """Whether the opacity is the same everywhere, also without any relevance."""


def table_of(name: str) -> NDArray[np.uint8]:
    """The 256 colours of a colour map, (256, 3) as red, green, blue."""
    if name == "jet":  # OpenCV's differs from the classic ramps by one level
        share = np.arange(LEVELS) / (LEVELS - 1)
        ramps = [np.clip(1.5 - np.abs(4 * (share - centre)), 0, 1) for centre in JET_CENTRES]
        return np.floor(255 * np.stack(ramps, axis=1) + 0.5).astype(np.uint8)
    code = {"inferno": cv2.COLORMAP_INFERNO, "viridis": cv2.COLORMAP_VIRIDIS}[name]
    coloured = cv2.applyColorMap(np.arange(LEVELS, dtype=np.uint8)[None], code)
    return np.ascontiguousarray(coloured[0, :, ::-1])


def opacities(*, uniform: bool) -> NDArray[np.float64]:
    """Opacity, 0 … 1, of each of the 256 colours."""
    if uniform:
        return np.ones(LEVELS)
    fading = np.minimum(np.arange(LEVELS) / ((LEVELS - 1) * OPAQUE_FROM), 1)
    return np.floor(255 * fading + 0.5) / 255


def grey(display: Display) -> RGB:
    """An image in its initial window, (rows, columns, 3)."""
    span = display.high - display.low or NARROWEST
    table = np.arange(2 ** (8 * display.values.itemsize), dtype=np.float64)
    shown = np.floor(255 * np.clip((table - display.low) / span, 0, 1) + 0.5).astype(np.uint8)
    return np.repeat(shown[display.values][..., None], 3, axis=2)


def overlaid(image: RGB, relevance: Intensity, *, top: float, shading: Shading) -> RGB:
    """The image with its map, relevance (rows, columns) on the image's grid, on a scale from 0 to `top`."""
    levels = np.zeros(relevance.shape, np.intp)
    if top > 0:
        levels = np.floor((LEVELS - 1) * np.clip(relevance / top, 0, 1) + 0.5).astype(np.intp)
    table = table_of(shading.colours).astype(np.float32)
    shares = (shading.opacity * opacities(uniform=shading.uniform)).astype(np.float32)[levels][..., None]
    mixed = image * (1 - shares) + table[levels] * shares
    return np.floor(mixed + np.float32(0.5)).astype(np.uint8)


def strip(shading: Shading, columns: int) -> RGB:
    """The scale of colours over the grey on which the page shows it, (1, columns, 3), lowest left."""
    levels = np.linspace(0, LEVELS - 1, columns).round().astype(np.intp)
    shares = opacities(uniform=shading.uniform)[levels][:, None]
    mixed = 0x77 * (1 - shares) + table_of(shading.colours)[levels] * shares
    return mixed.round().astype(np.uint8)[None]


def resized(pixels: RGB, *, rows: int, columns: int) -> RGB:
    """The pixels on another grid, edges aligned: averaged where it is coarser, else interpolated."""
    coarser = rows * columns < pixels.shape[0] * pixels.shape[1]
    return np.asarray(
        cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA if coarser else cv2.INTER_LINEAR),
        np.uint8,
    )

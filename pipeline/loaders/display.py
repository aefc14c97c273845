"""Display: stored values at full bit depth and the window with which a page first shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.loaders.greyscale import Greyscale, Rescale, Window, linear_window, modality_span
from pipeline.records import Directions, Display, Intensity, SpacingAt


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a format makes of its bytes."""

    pixels: Intensity
    """0 … 1, bright where the display is bright; padding is 0."""
    spacing_mm: tuple[float, float] | None
    """Distance between neighbouring pixel centres (row, column); None if the file does not say."""
    display: Display
    directions: Directions | None = None
    """As in `Image`."""
    spacing_at: SpacingAt = ""
    step: int = 1
    """As in `Image`."""


BYTE_BITS = 8
SHORT_BITS = 16


def stored_display(stored: NDArray[np.integer], scale: Greyscale, *, unit: str = "") -> Display | None:
    """Stored values, inverted if necessary so that larger is brighter, with the linear window of `scale`.

    None if brightness is not linear in the stored values (look-up table, sigmoid) or if they have more than
    16 bits; see `brightness_display` for these.
    """
    if not isinstance(scale.modality, Rescale) or scale.bits > SHORT_BITS or scale.modality.slope < 0:
        return None
    if not (scale.voi is None or (isinstance(scale.voi, Window) and scale.voi.function != "SIGMOID")):
        return None
    first, last = (int(bound) for bound in scale.stored)
    values = (last - stored if scale.inverted else stored - first).astype(_depth(scale.bits))
    if scale.padding is not None:
        values[(scale.padding[0] <= stored) & (stored <= scale.padding[1])] = 0
    slope, intercept = scale.modality.slope, scale.modality.intercept
    if scale.inverted:
        slope, intercept = -slope, intercept + slope * last
    else:
        intercept += slope * first
    ends = _window(scale)
    low, high = sorted((end - intercept) / slope for end in ends)
    return Display(values, low, high, slope=slope, intercept=intercept, unit=unit)


def brightness_display(pixels: Intensity, *, bits: int) -> Display:
    """Brightness 0 … 1 as integers of 8 or 16 bits, for images without a linear window."""
    depth = _depth(bits)
    highest = float(np.iinfo(depth).max)
    return Display(np.rint(pixels * highest).astype(depth), 0.0, highest)


def _window(scale: Greyscale) -> tuple[float, float]:
    """The modality values displayed as black and as white."""
    if scale.voi is None:
        return modality_span(scale.stored, scale.modality)
    assert isinstance(scale.voi, Window)
    return linear_window(scale.voi)


def _depth(bits: int) -> np.dtype[np.uint8 | np.uint16]:
    return np.dtype(np.uint8 if bits <= BYTE_BITS else np.uint16)

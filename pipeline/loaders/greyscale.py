"""Greyscale: stored values → modality values → presentation values 0 … 1, one pure function per step.

The steps follow the greyscale pipeline of DICOM PS3.4, N.2.1. Arrays may have any shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
Span: TypeAlias = tuple[float, float]
"""The lowest and the highest possible value."""
View: TypeAlias = Literal["header", "full"] | tuple[float, float]
"""The header's VOI LUT or first window, the full range of stored values, or a window (center, width)."""

TABLE_BITS = 16
"""Up to this bit depth, brightness is computed once per possible stored value and looked up per pixel."""


@dataclass(frozen=True, slots=True)
class Table:
    """A look-up table, PS3.3, C.11.1.1.1. Inputs outside the table are mapped to its first or last entry."""

    entries: Values
    """The outputs, one per input value."""
    first: float
    """The input that is mapped to the first entry."""
    highest: float
    """The largest possible entry: 2 ** bits - 1."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """Slope and intercept, PS3.3, C.11.1.1.2."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """A window in modality units, PS3.3, C.11.2.1.2."""

    center: float
    width: float
    function: Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"] = "LINEAR"


@dataclass(frozen=True, slots=True)
class Greyscale:
    """The display parameters of one frame."""

    bits: int
    """Bits Stored."""
    signed: bool
    """Whether stored values have a sign (Pixel Representation)."""
    modality: Table | Rescale
    """Stored values → modality values."""
    voi: Table | Window | None
    """Modality values → values of interest; None for the full range."""
    inverted: bool
    """Whether the lowest value is displayed white."""
    padding: Span | None
    """Range of stored values that are padding and not part of the image."""

    @property
    def stored(self) -> Span:
        """The range of stored values, PS3.5, 8.1.1."""
        low = -(2 ** (self.bits - 1)) if self.signed else 0
        return float(low), float(low + 2**self.bits - 1)


def presentation_values(stored: NDArray[np.integer], scale: Greyscale) -> NDArray[np.float32]:
    """Brightness 0 … 1 of stored values within `scale.stored`, computed in float64 and rounded once."""
    if scale.bits > TABLE_BITS or stored.size < 2**scale.bits:
        return _brightness(stored.astype(np.float64), scale)
    low, high = (int(bound) for bound in scale.stored)
    # Negative values are at the end of the table, where numpy's negative indices find them.
    table = _brightness(np.concatenate([np.arange(high + 1), np.arange(low, 0)]).astype(np.float64), scale)
    return np.take(table, stored)


def modality_values(stored: Values, modality: Table | Rescale) -> Values:
    """Values in the unit of the modality, such as Hounsfield units. PS3.3, C.11.1."""
    if isinstance(modality, Table):
        return _looked_up(stored, modality)
    return stored * modality.slope + modality.intercept


def modality_span(stored: Span, modality: Table | Rescale) -> Span:
    """The range of modality values for a range of stored values."""
    if isinstance(modality, Table):
        return 0.0, modality.highest
    ends = [bound * modality.slope + modality.intercept for bound in stored]
    return min(ends), max(ends)


def voi_values(values: Values, voi: Table | Window | None, span: Span) -> Values:
    """Values of interest, 0 … 1 inside the window. PS3.3, C.11.2. Without table or window, `span` is used."""
    if voi is None:
        return (values - span[0]) / (span[1] - span[0])
    if isinstance(voi, Table):
        return _looked_up(values, voi) / voi.highest
    if voi.function == "SIGMOID":
        return _sigmoid(values, voi)
    return _linear(values, voi)


def _brightness(stored: Values, scale: Greyscale) -> NDArray[np.float32]:
    values = modality_values(stored, scale.modality)
    bright = np.clip(voi_values(values, scale.voi, modality_span(scale.stored, scale.modality)), 0.0, 1.0)
    if scale.inverted:
        bright = 1.0 - bright
    if scale.padding is not None:
        low, high = scale.padding
        bright[(low <= stored) & (stored <= high)] = 0.0
    return bright.astype(np.float32)


def _looked_up(values: Values, table: Table) -> Values:
    index = np.clip(np.rint(values - table.first), 0, table.entries.size - 1)
    return table.entries[index.astype(np.intp)]


def linear_window(window: Window) -> Span:
    """The values displayed as black and as white. C.11.2.1.2.1 (LINEAR) and C.11.2.1.3.2 (LINEAR_EXACT).

    The standard forbids LINEAR windows narrower than 1. Images with small real values have them nevertheless;
    they are treated as LINEAR_EXACT.
    """
    shift = 1.0 if window.function == "LINEAR" and window.width >= 1 else 0.0
    width = window.width - shift
    low = window.center - shift / 2 - width / 2
    return low, low + width


def _linear(values: Values, window: Window) -> Values:
    low, high = linear_window(window)
    if high == low:
        return (values > low).astype(np.float64)
    return (values - low) / (high - low)


def _sigmoid(values: Values, window: Window) -> Values:
    """Values of interest by the SIGMOID function, C.11.2.1.3.1."""
    exponent = np.clip(-4 * (values - window.center) / window.width, -700.0, 700.0)
    return 1 / (1 + np.exp(exponent))

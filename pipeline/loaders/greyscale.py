"""Greyscale: stored values → modality values → presentation values of 0 … 1, one pure function a step.

The steps are those of the greyscale pipeline, DICOM PS3.4, N.2.1. Arrays may have any shape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
Span: TypeAlias = tuple[float, float]
"""The lowest and the highest value possible."""

TABLE_BITS = 16
"""Stored values of up to so many bits are looked up in a table of all of them: one look-up a pixel."""


@dataclass(frozen=True, slots=True)
class Table:
    """A look-up table, PS3.3, C.11.1.1.1: below its first input the first entry holds, likewise the last."""

    entries: Values
    first: float
    """The input that is mapped to the first entry."""
    highest: float
    """The largest entry possible: 2 ** bits - 1."""


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
    """How one frame's stored values are to be shown."""

    bits: int
    signed: bool
    modality: Table | Rescale
    voi: Table | Window | None
    """None: the full range of modality values."""
    inverted: bool
    """The lowest value is white."""
    padding: Span | None
    """Stored values that are no part of the image."""

    @property
    def stored(self) -> Span:
        """The range of stored values, PS3.5, 8.1.1."""
        low = -(2 ** (self.bits - 1)) if self.signed else 0
        return float(low), float(low + 2**self.bits - 1)

    def windowed(self, window: Literal["header", "full"] | tuple[float, float]) -> Greyscale:
        """Shown otherwise: through a window (center, width), or ("full") stored values without any step."""
        if window == "header":
            return self
        if window == "full":
            return replace(self, modality=Rescale(), voi=None)
        return replace(self, voi=Window(*window))


def presented(stored: NDArray[np.integer], scale: Greyscale) -> NDArray[np.float32]:
    """Brightness, 0 … 1, of stored values within `scale.stored`, rounded once from float64."""
    if scale.bits > TABLE_BITS or stored.size < 2**scale.bits:
        return _shown(stored.astype(np.float64), scale)
    low, high = (int(bound) for bound in scale.stored)
    # Negative values count from the table's end, as numpy's indices do.
    table = _shown(np.concatenate([np.arange(high + 1), np.arange(low, 0)]).astype(np.float64), scale)
    return np.take(table, stored)


def modality_values(stored: Values, modality: Table | Rescale) -> Values:
    """Values in the unit of the modality, such as Hounsfield units. PS3.3, C.11.1."""
    if isinstance(modality, Table):
        return _looked_up(stored, modality)
    return stored * modality.slope + modality.intercept


def modality_span(stored: Span, modality: Table | Rescale) -> Span:
    """The range of `modality_values` over stored values of that range."""
    if isinstance(modality, Table):
        return 0.0, modality.highest
    ends = [bound * modality.slope + modality.intercept for bound in stored]
    return min(ends), max(ends)


def voi_values(values: Values, voi: Table | Window | None, span: Span) -> Values:
    """Values of interest, 0 … 1. PS3.3, C.11.2; without table and window the whole `span`."""
    if voi is None:
        return (values - span[0]) / (span[1] - span[0])
    if isinstance(voi, Table):
        return _looked_up(values, voi) / voi.highest
    if voi.function == "SIGMOID":
        return _sigmoid(values, voi)
    return _linear(values, voi)


def _shown(stored: Values, scale: Greyscale) -> NDArray[np.float32]:
    values = modality_values(stored, scale.modality)
    shown = np.clip(voi_values(values, scale.voi, modality_span(scale.stored, scale.modality)), 0.0, 1.0)
    if scale.inverted:
        shown = 1.0 - shown
    if scale.padding is not None:
        low, high = scale.padding
        shown[(low <= stored) & (stored <= high)] = 0.0
    return shown.astype(np.float32)


def _looked_up(values: Values, table: Table) -> Values:
    index = np.clip(np.rint(values - table.first), 0, table.entries.size - 1)
    return table.entries[index.astype(np.intp)]


def linear_window(window: Window) -> Span:
    """The values shown black and white. C.11.2.1.2.1 (LINEAR) and C.11.2.1.3.2 (LINEAR_EXACT).

    A LINEAR window narrower than 1 is not allowed and meant exactly, as images of small real values show.
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
    """C.11.2.1.3.1."""
    exponent = np.clip(-4 * (values - window.center) / window.width, -700.0, 700.0)
    return 1 / (1 + np.exp(exponent))

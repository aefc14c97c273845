"""Primitives: what a figure consists of, in points (1/72 inch) from its top left corner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

RGB: TypeAlias = NDArray[np.uint8]
"""Colours, (rows, columns, 3)."""
POINTS_PER_INCH = 72
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels that fill a rectangle, edge to edge."""

    frame: Frame
    pixels: RGB


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle."""

    frame: Frame
    colour: str
    """As #rrggbb, as all colours here."""


@dataclass(frozen=True, slots=True)
class Line:
    """Straight pieces between points, with butt ends and round joints."""

    points: NDArray[np.float64]
    """(n, 2): x, y."""
    colour: str
    width: float
    closed: bool = False
    dashes: tuple[float, ...] = ()
    """Lengths of dashes and gaps by turns, an even number; empty: a line without gaps."""
    halo: bool = True
    """Whether it has a dark seam, so that it is seen on bright pixels, too."""
    clip: Frame | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str
    halo: bool = True
    clip: Frame | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; (x, y) is on its baseline."""

    x: float
    y: float
    text: str
    size: float
    colour: str = "#1a1e22"
    anchor: Literal["start", "middle", "end"] = "start"
    halo: bool = False


Item: TypeAlias = Picture | Area | Line | Dot | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure; later items lie over earlier ones."""

    width: float
    height: float
    items: tuple[Item, ...]
    title: str
    description: str
    """Alternative text."""

    def texts(self) -> Iterator[str]:
        """All lines of text."""
        return (item.text for item in self.items if isinstance(item, Words))


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 … 255, of #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue

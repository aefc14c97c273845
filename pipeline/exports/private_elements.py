"""Private elements: what exported objects state beyond the standard, which `heatproof score` reads back."""

from __future__ import annotations

from typing import Final

GROUP: Final = 0x0099
CREATOR: Final = "HEATPROOF"
SHAPES, SCALE, OFFSET, OVERHANG, OPERATING_POINT = 0x01, 0x02, 0x03, 0x04, 0x05
"""In the functional groups of each frame of a Parametric Map, as 64-bit floats: rows and columns of map and
image; the other fields of a `Placement`, rows first; a probability."""
FINDING, METHOD = 0x06, 0x07
"""In each segment of a Segmentation, as texts: its names in full, because labels are cut short."""

"""Style: colours, dashes and sizes of figures; over images as in static/figures.css."""

from __future__ import annotations

NETWORK = "#38d3ff"
READERS = ("#b9f53f", "#ffffff", "#ff9be0", "#b4a7ff", "#8ff0c4", "#e9dfa6")
"""Colours of readers 0 … 5; further readers use them again."""
DASHES: tuple[tuple[float, ...], ...] = ((7, 4), (2, 4), (12, 4), (9, 3, 2, 3), (4, 3), (1, 3))
"""Dashes of readers 0 … 5, in CSS pixels."""
DASH_UNIT = 0.6
"""Points per CSS pixel of a dash: lines on paper are thinner than on a screen."""
PAPER, INK, MUTED, BEHIND = "#ffffff", "#1a1e22", "#56606a", "#0b0d0f"
"""Page, text, less important text, and what lies behind images."""
HALO, HALO_OPACITY, HALO_WIDTH = "#000000", 0.6, 0.6
"""Colour and opacity of seams, and their points on each side of a line."""

TEXT, SMALL = 7.0, 6.0
"""Sizes of text in points; journals ask for 5 to 8."""
LEADING = 1.3
"""Distance of lines of text, in sizes of the text."""
STROKE, THIN, BAR_STROKE = 1.1, 0.45, 1.6
"""Widths of contours, of their parts beyond the outermost cells, and of scale bars."""
PEAK_RADIUS, POINT_RADIUS = 1.8, 2.2
GAP = 6.0
"""Between panels."""


def dashes_of(colour: int) -> tuple[float, ...]:
    """Dashes of a reader's line in points; an odd number of lengths is repeated, as in SVG."""
    lengths = tuple(DASH_UNIT * length for length in DASHES[colour])
    return lengths if len(lengths) % 2 == 0 else lengths * 2

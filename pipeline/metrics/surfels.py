"""Surfels: the outline as pieces between pixels, each with its length (Nikolov et al. 2018).

The outline is that of marching squares: around a corner where four pixels meet, it runs between the midpoints
of those pixels' shared sides that separate inside from outside. The pieces at one corner count as one point
there, weighted by their length, as in google-deepmind/surface-distance. Beyond the image is outside.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Mask


def surfels(mask: Mask, *, spacing: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners that the outline passes, (points, 2), and the length there, in the unit of `spacing`.

    The mask has two axes and must not be empty.
    """
    inside = np.pad(mask, 1).astype(np.intp)
    around = 8 * inside[:-1, :-1] + 4 * inside[:-1, 1:] + 2 * inside[1:, :-1] + inside[1:, 1:]
    lengths = _lengths(spacing)[around]
    corners = np.argwhere(lengths > 0) - 0.5
    return np.asarray(corners * spacing, np.float64), lengths[lengths > 0]


def _lengths(spacing: Sequence[float]) -> NDArray[np.float64]:
    """The outline's length at a corner, by which of its pixels are inside: 8 4 above, 2 1 below."""
    down, across = spacing
    slanted = float(np.hypot(down, across)) / 2
    lengths = np.full(16, slanted)  # one pixel is inside, or one is outside
    lengths[[0b0000, 0b1111]] = 0
    lengths[[0b1100, 0b0011]] = across
    lengths[[0b1010, 0b0101]] = down
    lengths[[0b1001, 0b0110]] = 2 * slanted
    return lengths

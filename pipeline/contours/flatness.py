"""Flatness: whether anything stands out in a map, asked by every threshold rule."""

import numpy as np

from pipeline.records import Intensity

ROUNDING = 1e-6
"""Relative; interpolating a constant in float32 leaves differences of this order."""


def is_flat(relevance: Intensity) -> bool:
    """Whether the map is constant (up to rounding) or nowhere positive."""
    highest, lowest = float(np.max(relevance)), float(np.min(relevance))
    return highest <= 0 or highest - lowest <= ROUNDING * highest

"""Flatness: whether a map is constant or nowhere positive; every threshold rule checks it."""

import numpy as np

from pipeline.records import Intensity

ROUNDING = 1e-6
"""Relative tolerance: interpolating a constant map in float32 gives differences of this order."""


def is_flat(relevance: Intensity) -> bool:
    """Whether the map is constant (up to rounding) or nowhere positive."""
    highest, lowest = float(np.max(relevance)), float(np.min(relevance))
    return highest <= 0 or highest - lowest <= ROUNDING * highest

"""Fraction: a level at a share of the map's maximum."""

from pipeline.contours.flatness import is_flat
from pipeline.errors import ConfigError
from pipeline.records import Intensity


def fraction(relevance: Intensity, threshold: float) -> float | None:
    """`threshold` (0 … 1; 0.6 is the classic) times the maximum; None for a flat map."""
    if not 0 <= threshold <= 1:
        raise ConfigError(
            f"contours.threshold: found {threshold:g}; rule 'fraction' wants a share of the maximum, 0 … 1"
        )
    return None if is_flat(relevance) else threshold * float(relevance.max())

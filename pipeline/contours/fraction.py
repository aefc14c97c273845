"""Fraction: a level at a fraction of the map's maximum."""

from pipeline.contours.flatness import is_flat
from pipeline.contracts import ThresholdRule
from pipeline.errors import ConfigError
from pipeline.records import Intensity

SHARES = tuple(step / 20 for step in range(1, 20))
"""The thresholds that `heatproof tune` tries."""


def fraction(relevance: Intensity, threshold: float) -> float | None:
    """`threshold` (0 … 1, usually 0.6) times the maximum; None for a flat map."""
    if not 0 <= threshold <= 1:
        raise ConfigError(
            f"contours.threshold: found {threshold:g}; "
            "rule 'fraction' takes a share of the maximum: set 0 … 1"
        )
    return None if is_flat(relevance) else threshold * float(relevance.max())


FRACTION = ThresholdRule(
    level=fraction,
    words="pixels at or above {threshold} of the map’s maximum",
    reads="extremes",
    tuned_over=SHARES,
    script="pipeline.contours:fraction.js",
)

"""Middle: a level between the map's minimum and maximum."""

from pipeline.contours.flatness import is_flat
from pipeline.contracts import ThresholdRule
from pipeline.records import Intensity


def middle(relevance: Intensity, threshold: float) -> float | None:
    """The minimum and `threshold` of the way to the maximum; None for a flat map."""
    if is_flat(relevance):
        return None
    lowest, highest = float(relevance.min()), float(relevance.max())
    return lowest + threshold * (highest - lowest)


MIDDLE = ThresholdRule(
    level=middle,
    words="pixels from {threshold} of the way from minimum to maximum",
    reads="extremes",
    tuned_over=(0.25, 0.5, 0.75),
    script="heatproof_lab:middle.js",
)

"""Absolute: a fixed level in the heatmap's unit, the same for every image."""

from pipeline.contours.flatness import is_flat
from pipeline.contracts import ThresholdRule
from pipeline.records import Intensity


def absolute(relevance: Intensity, threshold: float) -> float | None:
    """`threshold` itself, in the heatmap's unit; None for a flat map."""
    return None if is_flat(relevance) else threshold


ABSOLUTE = ThresholdRule(
    level=absolute,
    words="pixels with a relevance of at least {threshold}",
    reads="extremes",
    script="pipeline.contours:absolute.js",
)

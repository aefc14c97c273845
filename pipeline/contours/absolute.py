"""Absolute: a level in the heatmap's own unit, the same for every image."""

from pipeline.contours.flatness import is_flat
from pipeline.records import Intensity


def absolute(relevance: Intensity, threshold: float) -> float | None:
    """`threshold` itself, in the heatmap's unit; None for a flat map."""
    return None if is_flat(relevance) else threshold

"""Scaling: contours from the positive part of a map, or from the map scaled minimum–maximum."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from pipeline.records import Heatmap, Intensity


def scaled(heatmap: Heatmap, scaling: Literal["positive", "minmax"]) -> Heatmap:
    """The map from which contours are drawn; `minmax` turns a flat map into zeros."""
    if scaling == "positive" or heatmap.unit == "contour":
        return heatmap
    return replace(heatmap, relevance=between_extremes(heatmap.relevance), unit="relative")


def between_extremes(relevance: Intensity) -> Intensity:
    """The cells scaled by minimum and maximum to 0 … 1; scaling before or after interpolation is the same."""
    lowest, highest = relevance.min(), relevance.max()
    if not highest > lowest:
        return np.zeros_like(relevance)
    return np.asarray((relevance - lowest) / (highest - lowest), np.float32)

"""Percentile: a level at a percentile of the image's pixels."""

import numpy as np

from pipeline.contours.flatness import is_flat
from pipeline.contracts import ThresholdRule
from pipeline.errors import ConfigError
from pipeline.records import Intensity

PERCENTILES = (50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 92.5, 95.0, 97.5, 99.0)
"""The thresholds that `heatproof tune` tries."""


def percentile(relevance: Intensity, threshold: float) -> float | None:
    """The `threshold`-th percentile (0 … 100) of all pixels of the image; None for a flat map."""
    if not 0 <= threshold <= 100:  # noqa: PLR2004  per cent
        raise ConfigError(
            f"contours.threshold: found {threshold:g}; rule 'percentile' takes a percentile: set 0 … 100"
        )
    return None if is_flat(relevance) else float(np.percentile(relevance, threshold))


PERCENTILE = ThresholdRule(
    level=percentile,
    words="pixels at or above the {threshold} percentile",
    tuned_over=PERCENTILES,
    script="pipeline.contours:percentile.js",
)

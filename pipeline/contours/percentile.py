"""Percentile: a level that a given share of the image's pixels stays below."""

import numpy as np

from pipeline.contours.flatness import is_flat
from pipeline.errors import ConfigError
from pipeline.records import Intensity


def percentile(relevance: Intensity, threshold: float) -> float | None:
    """The `threshold`-th percentile (0 … 100) of all pixels of the image; None for a flat map."""
    if not 0 <= threshold <= 100:  # noqa: PLR2004  per cent
        raise ConfigError(f"contours.threshold: found {threshold:g}; rule 'percentile' wants 0 … 100")
    return None if is_flat(relevance) else float(np.percentile(relevance, threshold))

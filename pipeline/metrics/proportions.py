"""Proportions: exact intervals where images are independent, over patients where they are not."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.intervals import UNDEFINED, Interval, interval_of_mean


def interval_of_proportion(values: ArrayLike, patients: Sequence[str], resampling: Resampling) -> Interval:
    """The share of rows that are 1 (all are 0 or 1), exact where every patient has one row, else bootstrap.

    Where all rows are alike a bootstrap has nothing to draw and would claim certainty; then each patient
    counts as one row, which is exact if the rows of a patient are all but copies and else too wide.
    """
    rows = np.asarray(values, np.float64)
    if not rows.size:
        return UNDEFINED
    units, share = len(set(patients)), float(rows.mean())
    if units == len(rows):
        return Interval(share, *clopper_pearson(int(rows.sum()), units, confidence=resampling.confidence))
    if share in {0.0, 1.0}:
        return Interval(
            share, *clopper_pearson(round(share * units), units, confidence=resampling.confidence)
        )
    return interval_of_mean(rows, patients, resampling)


def clopper_pearson(successes: int, trials: int, *, confidence: float) -> tuple[float, float]:
    """The exact interval of a binomial proportion (Clopper & Pearson 1934); `trials` is at least 1."""
    tail = (1 - confidence) / 2
    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high

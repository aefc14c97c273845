"""Proportions: exact intervals if images are independent, bootstrap intervals over patients otherwise."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta

from pipeline.statistics.bootstrap import Resampling, Units
from pipeline.statistics.intervals import UNDEFINED, Interval, interval_of_mean


def interval_of_proportion(values: ArrayLike, patients: Units, resampling: Resampling) -> Interval:
    """The share of rows (0 or 1) that are 1; exact if every patient has one row, otherwise by bootstrap.

    If all rows are equal, the bootstrap would claim certainty. Then the interval is exact with each patient
    counted as one row, which is too wide unless the rows of a patient are almost copies.
    """
    rows = np.asarray(values, np.float64)
    if not rows.size:
        return UNDEFINED
    units, share = len(np.unique(patients)), float(rows.mean())
    if units == len(rows):
        return Interval(share, *clopper_pearson(int(rows.sum()), units, confidence=resampling.confidence))
    if share in {0.0, 1.0}:
        return Interval(
            share, *clopper_pearson(round(share * units), units, confidence=resampling.confidence)
        )
    return interval_of_mean(rows, patients, resampling)


def interval_of_share(values: ArrayLike, patients: Units, resampling: Resampling) -> Interval:
    """The mean of values from 0 to 1, as that of a proportion where each is 0 or 1.

    If the mean is m, n independent values are all 1 with a chance of m to the n at most, as n hits are.
    """
    rows = np.asarray(values, np.float64)
    of = interval_of_proportion if np.isin(rows, (0, 1)).all() else interval_of_mean
    return of(rows, patients, resampling)


def is_extreme(values: ArrayLike) -> bool:
    """Whether all values are 0, or all are 1."""
    rows = np.asarray(values, np.float64)
    return bool(rows.size) and rows.min() == rows.max() and rows.flat[0] in {0.0, 1.0}


def clopper_pearson(successes: int, trials: int, *, confidence: float) -> tuple[float, float]:
    """The exact interval of a binomial proportion (Clopper & Pearson 1934); `trials` is at least 1."""
    tail = (1 - confidence) / 2
    failures = trials - successes
    low = float(beta.ppf(tail, successes, failures + 1)) if successes else 0.0
    high = float(beta.ppf(1 - tail, successes + 1, failures)) if failures else 1.0
    return low, high

"""Intervals: from a statistic over drawn patients to the bounds that its truth lies between.

- "percentile": the quantiles of the draws (Efron & Tibshirani 1993, §13.3).
- "bca": bias-corrected and accelerated (§14.3), which follows a skewed statistic.
- "expanded": BCa at levels widened for few patients (Hesterberg 2015, who widens percentiles so):
  quantiles of Student's t on n - 1 degrees of freedom, times √(n / (n - 1)), replace those of the normal
  distribution.

`make simulate` measures in what share of study sets a 95 % interval of a mean, a rate, skill or AUROC holds
the truth, for patients with one to six images. Of the first two it is 88 … 92 % with 10 patients, 91 … 93 %
with 20 and 91 … 96 % with more; of expanded ones 93 … 96 % from 10 patients on: they are the default.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

from pipeline.metrics.bootstrap import Column, Replicated, Resampling, Values, per_patient, replicated_sums

ROUNDING = 1e-12
"""Relative to 1: draws nearer than this to a value are equal to it."""
STEEPEST = 1e-9
"""The least of the denominator 1 - acceleration · z, which turns far out in the tails of few patients."""


class Interval(NamedTuple):
    """An estimate with its interval; None where undefined (without values; of one patient, no interval)."""

    estimate: float | None
    low: float | None
    high: float | None


UNDEFINED = Interval(None, None, None)


def interval_of_mean(values: ArrayLike, patients: Sequence[str], resampling: Resampling) -> Interval:
    """The mean over rows, with its interval over patients."""
    return intervals_of_means([(values, patients)], resampling)[0]


def intervals_of_means(columns: Sequence[Column], resampling: Resampling) -> list[Interval]:
    """For each column the mean over rows, with its interval over the patients that have a row in it.

    Neither the order of rows nor that of columns matters.
    """
    tables = [per_patient(values, patients) for values, patients in columns]
    alike = defaultdict(list)
    for position, (sums, _) in enumerate(tables):
        alike[len(sums)].append(position)
    found = [UNDEFINED] * len(columns)
    for units, positions in alike.items():
        if units:
            together = replicated_sums([tables[position] for position in positions], resampling)
            for position, interval in zip(positions, intervals(together, resampling), strict=True):
                found[position] = interval
    return found


def intervals(found: Replicated, resampling: Resampling) -> list[Interval]:
    """One a column. Draws in which the statistic is undefined (NaN) are left out.

    No interval where all draws are the same, as where every image was a hit: the width of 0 that the
    bootstrap would give is no certainty.
    """
    return [
        _interval(estimate, drawn[~np.isnan(drawn)], left_out, found.units, resampling)
        for estimate, drawn, left_out in zip(found.estimate, found.drawn.T, found.left_out.T, strict=True)
    ]


def _interval(
    estimate: float, drawn: Values, left_out: Values, units: int, resampling: Resampling
) -> Interval:
    if np.isnan(estimate):
        return UNDEFINED
    if units == 1 or not drawn.size or np.ptp(drawn) <= ROUNDING * max(1.0, abs(estimate)):
        return Interval(float(estimate), None, None)  # where all draws agree they tell nothing of others
    tail = (1 - resampling.confidence) / 2
    shift, acceleration = correction(estimate, drawn, left_out, resampling)
    z = shift + np.array([-1, 1]) * widened(tail, units, resampling)
    levels = ndtr(shift + z / np.maximum(1 - acceleration * z, STEEPEST))
    low, high = np.quantile(drawn, levels)
    return Interval(float(estimate), float(low), float(high))


def correction(
    estimate: float, drawn: Values, left_out: Values, resampling: Resampling
) -> tuple[float, float]:
    """Bias correction z₀ and acceleration a (Efron & Tibshirani, eq. 14.14, 14.15); 0, 0 for percentiles."""
    if resampling.interval == "percentile":
        return 0.0, 0.0
    below = share_below(drawn, float(estimate))
    known = left_out[~np.isnan(left_out)]
    away = known.mean() - known if known.size else known
    spread = (away**2).sum() ** 1.5
    return float(ndtri(below)), float((away**3).sum() / (6 * spread)) if spread > 0 else 0.0


def share_below(drawn: Values, value: float) -> float:
    """The share of draws below a value, ties counted half, kept off 0 and 1 by half a draw."""
    near = ROUNDING * max(1.0, abs(value))
    below, not_above = np.count_nonzero(drawn < value - near), np.count_nonzero(drawn <= value + near)
    return float(((below + not_above) / 2).clip(0.5, len(drawn) - 0.5) / len(drawn))


def widened(tail: float, units: int, resampling: Resampling) -> float:
    """How many standard errors leave `tail` beyond them."""
    if resampling.interval == "expanded":
        return float(-student.ppf(tail, units - 1) * np.sqrt(units / (units - 1)))
    return float(-ndtri(tail))

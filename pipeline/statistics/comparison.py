"""Comparison: paired differences of two methods, models or runs on the same cases, with p-values."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest
from scipy.stats import t as student

from pipeline.records import Values
from pipeline.statistics.bootstrap import (
    Column,
    Replicated,
    Resampling,
    Units,
    per_patient,
    replicated_means,
)
from pipeline.statistics.intervals import CACHED_VALUES, ROUNDING, STEEPEST, bca_correction, intervals


class Difference(NamedTuple):
    """First minus second, with its interval and the p-value of no difference; None where undefined."""

    estimate: float | None
    low: float | None
    high: float | None
    p: float | None


def difference_of_means(
    first: ArrayLike, second: ArrayLike, patients: Units, resampling: Resampling
) -> Difference:
    """The mean difference of scores that are paired row by row (both defined)."""
    differences = np.subtract(first, second, dtype=np.float64)
    return (
        with_p_values(replicated_means([(differences, patients)], resampling), resampling)[0]
        if differences.size
        else NO_DIFFERENCE
    )


def difference_of_columns(first: Column, second: Column, resampling: Resampling) -> Difference:
    """The difference of means over different rows, for example of a subgroup and the rest.

    The patients of both columns are resampled together.
    """
    both = replicated_means([first, second], resampling)
    return with_p_values(both.transformed(_first_minus_second), resampling)[0]


def difference(first: Replicated, second: Replicated, resampling: Resampling) -> list[Difference]:
    """Differences of two statistics over the same patients and with the same `resampling`, per column."""
    differences = Replicated(
        first.estimate - second.estimate,
        first.drawn - second.drawn,
        first.left_out - second.left_out,
        first.units,
    )
    return with_p_values(differences, resampling)


def with_p_values(found: Replicated, resampling: Resampling) -> list[Difference]:
    """The interval of each column, with the p-value of the hypothesis that it is 0."""
    return [
        Difference(*interval, p_value(found, column, resampling))
        for column, interval in enumerate(intervals(found, resampling))
    ]


def p_value(found: Replicated, column: int, resampling: Resampling) -> float | None:
    """Two-sided p-value by inverting the interval: 1 - confidence of the widest interval without 0.

    It is thus below 1 - confidence if the interval excludes 0, and never below 2 / (replicates + 1). None
    where the statistic or its interval is undefined.
    """
    draws = found.drawn[~np.isnan(found.drawn[:, column]), column]
    estimate = float(found.estimate[column])
    if np.isnan(estimate) or found.units == 1 or not draws.size:
        return None
    shift, acceleration = bca_correction(estimate, draws, found.left_out[:, column], resampling)
    tails = []
    for side in (1, -1):
        beyond = (np.count_nonzero(side * draws <= ROUNDING) + 1) / (len(draws) + 1)
        z = side * float(ndtri(min(beyond, 1 - 1 / (len(draws) + 1)))) - shift
        uncorrected = z / max(1 + acceleration * z, STEEPEST) - shift
        tails.append(_tail(side * uncorrected, found.units, resampling))
    return max(min(1.0, 2 * min(tails)), 2 / (len(draws) + 1))


def sign_test(first: ArrayLike, second: ArrayLike, patients: Units) -> float:
    """The exact two-sided p-value of the sign test over patients, for rows of 0 and 1.

    Here the bootstrap is anti-conservative if few patients differ. With one row per patient this is
    McNemar's exact test; several rows of a patient count once, by the sign of their summed difference.
    """
    differences = np.subtract(first, second, dtype=np.float64)
    sums, _ = per_patient(differences, patients)
    signs = np.sign(np.round(sums, 9))
    differing = np.count_nonzero(signs)
    return _sign_p(int(np.count_nonzero(signs > 0)), int(differing)) if differing else 1.0


@lru_cache(CACHED_VALUES)
def _sign_p(positive: int, differing: int) -> float:
    return float(binomtest(positive, differing).pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm-corrected p-values (Holm 1979), in the given order; None stays None and is not counted."""
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[index] = highest
    return corrected


NO_DIFFERENCE = Difference(None, None, None, None)


def _first_minus_second(means: Values) -> Values:
    return means[:, :1] - means[:, 1:2]


def _tail(z: float, units: int, resampling: Resampling) -> float:
    """The probability below `z`, by the distribution used for the interval's levels."""
    if resampling.interval == "expanded":
        return float(student.cdf(z / np.sqrt(units / (units - 1)), units - 1))
    return float(ndtr(z))

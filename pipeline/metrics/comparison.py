"""Comparison: two methods, models or runs on the same cases, by the paired bootstrap of their difference."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest
from scipy.stats import t as student

from pipeline.metrics.bootstrap import (
    Column,
    Replicated,
    Resampling,
    Values,
    per_patient,
    replicated_means,
)
from pipeline.metrics.intervals import ROUNDING, STEEPEST, correction, intervals


class Difference(NamedTuple):
    """The first less the second, with its interval and the p-value of there being none; None: undefined."""

    estimate: float | None
    low: float | None
    high: float | None
    p: float | None


def difference_of_means(
    first: ArrayLike, second: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Difference:
    """Of scores of the same cases, row by row; leave out cases that only one of the two has a score for."""
    apart = np.subtract(first, second, dtype=np.float64)
    return (
        with_p_values(replicated_means([(apart, patients)], resampling), resampling)[0]
        if apart.size
        else NO_DIFFERENCE
    )


def difference_of_columns(first: Column, second: Column, resampling: Resampling) -> Difference:
    """Of means over different rows of the same patients, for example of a subgroup and the rest.

    Every draw of patients meets both columns.
    """
    both = replicated_means([first, second], resampling)
    return with_p_values(both.through(_first_less_second), resampling)[0]


def difference(first: Replicated, second: Replicated, resampling: Resampling) -> list[Difference]:
    """Of any statistics over the same patients, replicated with the same `resampling`: one a column."""
    apart = Replicated(
        first.estimate - second.estimate,
        first.drawn - second.drawn,
        first.left_out - second.left_out,
        first.units,
    )
    return with_p_values(apart, resampling)


def with_p_values(found: Replicated, resampling: Resampling) -> list[Difference]:
    """The interval of each column and the p-value of its being 0."""
    return [
        Difference(*interval, p_value(found, column, resampling))
        for column, interval in enumerate(intervals(found, resampling))
    ]


def p_value(found: Replicated, column: int, resampling: Resampling) -> float | None:
    """Two-sided: the smallest share of draws that an interval leaves out which does not hold 0.

    So it is below 1 - confidence where the interval lies on one side of 0. It is never below 2 / (draws + 1).
    """
    drawn = found.drawn[~np.isnan(found.drawn[:, column]), column]
    estimate = float(found.estimate[column])
    if np.isnan(estimate) or found.units == 1 or not drawn.size:
        return None
    shift, acceleration = correction(estimate, drawn, found.left_out[:, column], resampling)
    sides = []
    for side in (1, -1):
        beyond = (np.count_nonzero(side * drawn <= ROUNDING) + 1) / (len(drawn) + 1)
        z = side * float(ndtri(min(beyond, 1 - 1 / (len(drawn) + 1)))) - shift
        uncorrected = z / max(1 + acceleration * z, STEEPEST) - shift
        sides.append(_tail(side * uncorrected, found.units, resampling))
    return max(min(1.0, 2 * min(sides)), 2 / (len(drawn) + 1))


def sign_test(first: ArrayLike, second: ArrayLike, patients: Sequence[str]) -> float:
    """The exact two-sided p-value of there being no difference, from how many patients differ which way.

    For rows of 0 and 1 the bootstrap sees too many differences where few patients differ. With one row a
    patient this is McNemar's exact test; more rows of a patient count once, by the sign of their sum.
    """
    apart = np.subtract(first, second, dtype=np.float64)
    sums, _ = per_patient(apart, patients)
    signs = np.sign(np.round(sums, 9))
    differing = np.count_nonzero(signs)
    return float(binomtest(np.count_nonzero(signs > 0), differing).pvalue) if differing else 1.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values corrected for their number (Holm 1979), in their order; None stays and is not counted."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[place] = highest
    return corrected


NO_DIFFERENCE = Difference(None, None, None, None)


def _first_less_second(means: Values) -> Values:
    return means[:, :1] - means[:, 1:2]


def _tail(z: float, units: int, resampling: Resampling) -> float:
    """The probability below `z`, by the distribution that the interval's levels are of."""
    if resampling.interval == "expanded":
        return float(student.cdf(z / np.sqrt(units / (units - 1)), units - 1))
    return float(ndtr(z))

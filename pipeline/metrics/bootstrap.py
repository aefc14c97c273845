"""Bootstrap: intervals over patients, because images of one patient are not independent.

A replicate draws as many patients as there are, with replacement, each with all its rows (Field & Welsh
2007). It is a row of counts, how often each patient was drawn, so statistics are weighted sums. The counts
depend on the seed and the number of patients alone: statistics over the same patients meet the same
replicates, and so differences between them are paired.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Values], Values]
"""Weights of the units (replicates, units) → what is estimated (replicates, columns), NaN where undefined."""
Column: TypeAlias = tuple[ArrayLike, Sequence[str]]
"""Values, and the patient of each."""

BLOCK = 500_000
"""Draws at a time, or weights of rows: bounds memory at some 32 MB however many patients and replicates."""
LEFT_OUT = 1000
"""Groups at most that the jackknife leaves out in turn: skewness needs no more."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made."""

    replicates: int = 2000
    confidence: float = 0.95
    seed: int = 0
    interval: Literal["expanded", "bca", "percentile"] = "expanded"
    """`pipeline.metrics.intervals` says what they are and how well they cover."""


class Replicated(NamedTuple):
    """A statistic of the patients, of draws of them, and with some of them left out in turn."""

    estimate: Values
    """(columns,)."""
    drawn: Values
    """(replicates, columns)."""
    left_out: Values
    """(groups, columns)."""
    units: int
    """How many patients there are."""

    def through(self, function: Callable[[Values], Values]) -> "Replicated":
        """What follows from the statistic, row by row: (rows, columns) → (rows, other columns)."""
        estimate = function(self.estimate[None])[0]
        return Replicated(estimate, function(self.drawn), function(self.left_out), self.units)


def replicated(statistic: Statistic, units: int, resampling: Resampling) -> Replicated:
    """The statistic over `units` patients, at least one."""
    drawn = [statistic(w) for w in resamples(units, replicates=resampling.replicates, seed=resampling.seed)]
    needed = resampling.interval != "percentile"
    left_out = [statistic(w) for w in leaving_out(units)] if needed else [np.empty((0, drawn[0].shape[1]))]
    estimate = statistic(np.ones((1, units)))[0]
    return Replicated(estimate, np.concatenate(drawn), np.concatenate(left_out), units)


def replicated_means(columns: Sequence[Column], resampling: Resampling) -> Replicated:
    """The mean over the rows of each column; drawn are all patients that have a row in any of them."""
    units = np.unique(np.concatenate([np.asarray(patients, np.str_) for _, patients in columns]))
    return replicated_sums([per_patient(*column, units) for column in columns], resampling)


def replicated_sums(tables: Sequence[tuple[Values, Values]], resampling: Resampling) -> Replicated:
    """The mean of each column, from the sum and the number of its values a unit; all have as many units."""
    sums, counts = (np.stack(parts, axis=1) for parts in zip(*tables, strict=True))
    return replicated(lambda weights: mean_of(weights, sums, counts), len(sums), resampling)


def mean_of(weights: Values, sums: Values, counts: Values) -> Values:
    """The weighted mean of each column, from sums and numbers of values a unit; NaN without values."""
    with np.errstate(invalid="ignore"):
        mean: Values = (weights @ sums) / (weights @ counts)
    return mean


def resamples(units: int, *, replicates: int, seed: int) -> Iterator[Values]:
    """How often each unit was drawn, (some replicates, units) at a time."""
    generator = np.random.default_rng(seed)
    at_once = max(BLOCK // units, 1)
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        drawn = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)


def leaving_out(units: int) -> Iterator[Values]:
    """1 for each unit but those of one group, (some groups, units) at a time; a group is mostly one unit."""
    groups, at_once = min(units, LEFT_OUT), max(BLOCK // units, 1)
    of_unit = np.arange(units) % groups
    for start in range(0, groups, at_once):
        group = np.arange(start, min(start + at_once, groups))
        yield (of_unit[None] != group[:, None]).astype(np.float64)


def of_rows(weights: Iterable[Values], unit: NDArray[np.intp]) -> Iterator[Values]:
    """The weight of each row by that of its unit, (some replicates, rows) at a time."""
    at_once = max(BLOCK // max(len(unit), 1), 1)
    for of_units in weights:
        for start in range(0, len(of_units), at_once):
            yield of_units[start : start + at_once, unit]


def per_patient(
    values: ArrayLike, patients: Sequence[str], units: NDArray[np.str_] | None = None
) -> tuple[Values, Values]:
    """Sum and number of values of each patient, sorted; summed in an order that rows do not set.

    `units` are the patients to be told of, sorted; None: those that have a value.
    """
    column, of = np.asarray(values, np.float64), np.asarray(patients, np.str_)
    units = np.unique(of) if units is None else units
    unit = np.searchsorted(units, of)
    order = np.lexsort((column, unit))
    sums: Values = np.bincount(unit[order], weights=column[order], minlength=len(units)).astype(np.float64)
    return sums, np.bincount(unit, minlength=len(units)).astype(np.float64)

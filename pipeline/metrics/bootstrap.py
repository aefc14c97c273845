"""Bootstrap: intervals over patients, because images of one patient are not independent.

A replicate draws as many patients as there are, with replacement, each with all its rows (Field & Welsh
2007). It is a row of counts, how often each patient was drawn, so statistics are weighted sums. The counts
depend on the seed and the number of patients alone: columns over the same patients meet the same replicates,
and so differences between them are paired.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values: TypeAlias = NDArray[np.float64]

BLOCK = 500_000
"""Draws at a time, or weights of rows: bounds memory at some 32 MB however many patients and replicates."""


class Interval(NamedTuple):
    """An estimate with its interval; None where undefined (without values; of one patient, no interval)."""

    estimate: float | None
    low: float | None
    high: float | None


def interval_of_mean(
    values: ArrayLike, patients: Sequence[str], *, replicates: int, confidence: float, seed: int
) -> Interval:
    """The mean over rows, with the percentile interval over patients."""
    return intervals_of_means([(values, patients)], replicates=replicates, confidence=confidence, seed=seed)[
        0
    ]


def intervals_of_means(
    columns: Sequence[tuple[ArrayLike, Sequence[str]]], *, replicates: int, confidence: float, seed: int
) -> list[Interval]:
    """For each column (values, the patient of each): the mean over rows, with its interval over patients.

    Neither the order of rows nor that of columns matters.
    """
    tables = [_per_patient(values, patients) for values, patients in columns]
    alike = defaultdict(list)
    for position, (sums, _) in enumerate(tables):
        alike[len(sums)].append(position)
    intervals = [Interval(None, None, None)] * len(tables)
    for units, positions in alike.items():
        if units:
            sums, counts = (np.stack([tables[p][i] for p in positions], axis=1) for i in (0, 1))
            means = sums.sum(axis=0) / counts.sum(axis=0)
            drawn = [(w @ sums) / (w @ counts) for w in resamples(units, replicates=replicates, seed=seed)]
            found = with_percentiles(means, np.concatenate(drawn), units=units, confidence=confidence)
            for position, interval in zip(positions, found, strict=True):
                intervals[position] = interval
    return intervals


def resamples(units: int, *, replicates: int, seed: int) -> Iterator[Values]:
    """How often each unit was drawn, (some replicates, units) at a time."""
    generator = np.random.default_rng(seed)
    at_once = max(BLOCK // units, 1)
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        drawn = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)


def with_percentiles(
    estimates: Values, replicates: Values, *, units: int, confidence: float
) -> list[Interval]:
    """Intervals from `replicates` (replicates, columns); NaN, a replicate without a value, is left out."""
    if units == 1:
        return [Interval(float(estimate), None, None) for estimate in estimates]
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, row)) for row in zip(estimates, low, high, strict=True)]


def _per_patient(values: ArrayLike, patients: Sequence[str]) -> tuple[Values, Values]:
    """Sum and number of values of each patient, patients sorted; summed in an order that rows do not set."""
    column = np.asarray(values, np.float64)
    units, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)
    order = np.lexsort((column, unit))
    sums: Values = np.bincount(unit[order], weights=column[order], minlength=len(units)).astype(np.float64)
    return sums, np.bincount(unit, minlength=len(units)).astype(np.float64)

"""Bootstrap: intervals over patients, because images of one patient are not independent.

A replicate draws patients with replacement, as many as there are, each with all its rows (cluster bootstrap,
Field & Welsh 2007). It is stored as a row of counts, how often each patient was drawn, so that statistics are
weighted sums. The counts depend only on the seed and the number of patients: two statistics over the same
patients see the same replicates, so their differences are paired.

A "unit" is what is resampled: a patient or, where the config says so, an image.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.records import Values
from pipeline.statistics.kept_draws import Counts, KeptDraws

Statistic: TypeAlias = Callable[[Values], Values]
"""Weights (replicates, units) → estimates (replicates, columns), NaN where undefined."""
Units: TypeAlias = Sequence[str] | NDArray[np.integer[Any]]
"""Unit of each value: its text, or its place among the sorted texts."""
Column: TypeAlias = tuple[ArrayLike, Units]
"""Values, and the unit of each value."""

BLOCK = 500_000
"""Weights computed at a time: bounds memory at about 32 MB."""
KEPT = KeptDraws(most_bytes=2**28)
"""Enough for 2,000 replicates of 100,000 patients and of a third of them."""
JACKKNIFE_GROUPS = 1000
"""Maximum number of jackknife groups; more would not improve the skewness estimate."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """Settings of the bootstrap intervals."""

    replicates: int = 2000
    confidence: float = 0.95
    seed: int = 0
    interval: Literal["expanded", "bca", "percentile"] = "expanded"
    """Interval type; `pipeline.statistics.intervals` describes them and their coverage."""


class Replicated(NamedTuple):
    """A statistic over all units, over bootstrap replicates, and over jackknife samples."""

    estimate: Values
    """Over all units: (columns,)."""
    drawn: Values
    """Bootstrap replicates: (replicates, columns)."""
    left_out: Values
    """Jackknife: (groups, columns), each without one group of units."""
    units: int
    """Number of units."""

    def transformed(self, function: Callable[[Values], Values]) -> "Replicated":
        """The statistic transformed row by row by `function`: (rows, columns) → (rows, new columns)."""
        estimate = function(self.estimate[None])[0]
        return Replicated(estimate, function(self.drawn), function(self.left_out), self.units)


def replicated(statistic: Statistic, units: int, resampling: Resampling) -> Replicated:
    """The statistic over `units` units (at least one), with replicates and jackknife samples."""
    return replicated_together([statistic], units, resampling)[0]


def replicated_together(
    statistics: Sequence[Statistic], units: int, resampling: Resampling
) -> list[Replicated]:
    """Each statistic over as many units; the weights of a block are drawn once for all of them."""

    def of_blocks(blocks: Iterable[Values]) -> list[list[Values]]:
        return [[statistic(weights) for statistic in statistics] for weights in blocks]

    needs_jackknife = resampling.interval != "percentile"
    estimates = of_blocks([np.ones((1, units))])
    drawn = of_blocks(bootstrap_weights(units, replicates=resampling.replicates, seed=resampling.seed))
    left_out = of_blocks(jackknife_weights(units) if needs_jackknife else ())
    no_groups = [[estimate[:0] for estimate in estimates[0]]]
    return [
        Replicated(estimate[0], np.concatenate(draws), np.concatenate(groups), units)
        for estimate, draws, groups in zip(
            estimates[0], zip(*drawn, strict=True), zip(*(left_out or no_groups), strict=True), strict=True
        )
    ]


def replicated_means(columns: Sequence[Column], resampling: Resampling) -> Replicated:
    """The mean of each column; all units that have a value in any column are resampled."""
    units = np.unique(np.concatenate([np.asarray(patients) for _, patients in columns]))
    return replicated_sums([per_patient(*column, units) for column in columns], resampling)


def replicated_sums(tables: Sequence[tuple[Values, Values]], resampling: Resampling) -> Replicated:
    """The mean of each column, from (sums, counts) per unit; all columns have the same units."""
    sums, counts = (np.stack(parts, axis=1) for parts in zip(*tables, strict=True))
    return replicated(lambda weights: mean_of(weights, sums, counts), len(sums), resampling)


def mean_of(weights: Values, sums: Values, counts: Values) -> Values:
    """The weighted mean of each column, from sums and counts per unit; NaN without values."""
    with np.errstate(invalid="ignore"):
        mean: Values = (weights @ sums) / (weights @ counts)
    return mean


def bootstrap_weights(units: int, *, replicates: int, seed: int) -> Iterator[Values]:
    """How often each replicate draws each unit, in blocks of (replicates, units).

    They are kept for the next statistic over as many units: drawing takes fifty times as long as copying.
    """
    for counts in KEPT.draws((units, replicates, seed, max(BLOCK // units, 1)), _drawn):
        yield counts.astype(np.float64)


def _drawn(units: int, replicates: int, seed: int, at_once: int) -> Iterator[Counts]:
    """The same as integers, in the smallest type that holds them: a byte each."""
    generator = np.random.default_rng(seed)
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        draws = generator.integers(units, size=(size, units)) + units * np.arange(size)[:, None]
        counts = np.bincount(draws.ravel(), minlength=size * units).reshape(size, units)
        yield counts.astype(np.min_scalar_type(counts.max()))


def jackknife_weights(units: int) -> Iterator[Values]:
    """Jackknife weights: 0 for one group of units and 1 for the others, in blocks of (groups, units).

    A group is one unit, unless there are more than `JACKKNIFE_GROUPS` units.
    """
    groups, at_once = min(units, JACKKNIFE_GROUPS), max(BLOCK // units, 1)
    group_of_unit = np.arange(units) % groups
    for start in range(0, groups, at_once):
        group = np.arange(start, min(start + at_once, groups))
        yield (group_of_unit[None] != group[:, None]).astype(np.float64)


def row_weights(weights: Iterable[Values], unit: NDArray[np.intp]) -> Iterator[Values]:
    """Weights of rows from the weights of their units, in blocks of (replicates, rows)."""
    at_once = max(BLOCK // max(len(unit), 1), 1)
    for unit_weights in weights:
        for start in range(0, len(unit_weights), at_once):
            yield np.take(unit_weights[start : start + at_once], unit, axis=1)


def per_patient(
    values: ArrayLike, patients: Units, units: NDArray[Any] | None = None
) -> tuple[Values, Values]:
    """Sum and count of the values of each patient, sorted by patient; independent of the order of rows.

    `units` are the sorted patients to include; None: all patients that have a value.
    """
    column, patient = np.asarray(values, np.float64), np.asarray(patients)
    units = np.unique(patient) if units is None else units
    unit = np.searchsorted(units, patient)
    order = np.lexsort((column, unit))
    sums: Values = np.bincount(unit[order], weights=column[order], minlength=len(units)).astype(np.float64)
    return sums, np.bincount(unit, minlength=len(units)).astype(np.float64)

"""Subgroups: a measure within each group of images, compared with all other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact

from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.auroc import auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import NO_DIFFERENCE, Difference, difference_of_columns, holm
from pipeline.statistics.intervals import UNDEFINED, Interval, interval_of_mean
from pipeline.statistics.proportions import interval_of_proportion

Rows: TypeAlias = NDArray[np.intp]
"""Indexes of rows, in their order."""
PAIR = 2
"""Groups of an attribute that are each other's rest: one comparison, shown in two rows."""


class Measured(NamedTuple):
    """A measure over some of the rows, and its comparison between two sets of rows."""

    interval: Callable[[Rows], Interval]
    difference: Callable[[Rows, Rows], Difference]
    """The measure over the first rows minus that over the second."""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Statistics of one value of one attribute."""

    attribute: str
    group: str
    n: int
    """Number of scores."""
    patients: int
    too_few: bool
    """Fewer patients than the minimum: no estimate and no comparison."""
    interval: Interval
    difference: Difference
    """Difference from the images with another known value; undefined if those are too few."""
    corrected_p: float | None = None
    """Holm-corrected over the comparisons within the attribute."""


def subgroups(
    measured: Measured,
    patients: Sequence[str],
    attributes: Mapping[str, Sequence[str]],
    *,
    minimum: int = ENOUGH_PATIENTS,
) -> list[Subgroup]:
    """One row per attribute and value, sorted; `attributes` holds the value for each row, "" if unknown."""
    patient = np.asarray(patients, np.str_)
    return [
        row
        for attribute, column in attributes.items()
        for row in _corrected(
            list(_groups(attribute, np.asarray(column, np.str_), measured, patient, minimum))
        )
    ]


def means(values: ArrayLike, patients: Sequence[str], resampling: Resampling) -> Measured:
    """The mean of values, compared by the bootstrap over patients."""
    column, patient = np.asarray(values, np.float64), np.asarray(patients, np.str_)

    def rows_of(rows: Rows) -> tuple[ArrayLike, Sequence[str]]:
        return column[rows], patient[rows].tolist()

    return Measured(
        lambda rows: interval_of_mean(*rows_of(rows), resampling),
        lambda inside, rest: difference_of_columns(rows_of(inside), rows_of(rest), resampling),
    )


def shares(values: ArrayLike, patients: Sequence[str], resampling: Resampling) -> Measured:
    """The share of rows (0 or 1) that are 1, compared by Fisher's exact test with one row per patient.

    Of a patient with several rows the first one counts, in the group that it is in: its chance of a hit is
    that of any row. A majority would be surer than a single row, so that groups whose patients have more
    images would differ although no image is likelier to be hit.
    """
    column, patient = np.asarray(values, np.float64), np.asarray(patients, np.str_)
    by_bootstrap = means(column, patients, resampling)

    def difference(inside: Rows, rest: Rows) -> Difference:
        found = by_bootstrap.difference(inside, rest)
        return found._replace(p=fisher_p(column, patient, inside, rest))

    return Measured(
        lambda rows: interval_of_proportion(column[rows], patient[rows].tolist(), resampling), difference
    )


def rankings(score: ArrayLike, label: ArrayLike, patients: Sequence[str], confidence: float) -> Measured:
    """The AUROC, compared by its closed variance over patients."""
    scores, truth, patient = np.asarray(score), np.asarray(label, np.bool_), np.asarray(patients, np.str_)

    def of(rows: Rows) -> tuple[ArrayLike, ArrayLike, Sequence[str]]:
        return scores[rows], truth[rows], patient[rows].tolist()

    return Measured(
        lambda rows: interval_of_auroc(ranked(*of(rows)), confidence),
        lambda inside, rest: auroc_difference(ranked(*of(inside)), ranked(*of(rest)), confidence),
    )


def fisher_p(values: NDArray[np.float64], patient: NDArray[np.str_], inside: Rows, rest: Rows) -> float:
    """The two-sided p-value of Fisher's exact test on the first row of each patient."""
    both = np.sort(np.concatenate([inside, rest]))
    _, first = np.unique(patient[both], return_index=True)
    counted = both[first]
    sides = (values[np.intersect1d(counted, rows)] for rows in (inside, rest))
    table = [[np.count_nonzero(side), np.count_nonzero(side == 0)] for side in sides]
    return float(fisher_exact(table).pvalue)


def _groups(
    attribute: str, known: NDArray[np.str_], measured: Measured, patient: NDArray[np.str_], minimum: int
) -> Iterator[Subgroup]:
    for group in np.unique(known[known != ""]):
        inside, rest = np.flatnonzero(known == group), np.flatnonzero((known != group) & (known != ""))
        patients, others = (len(np.unique(patient[rows])) for rows in (inside, rest))
        few = patients < minimum
        yield Subgroup(
            attribute=attribute,
            group=str(group),
            n=len(inside),
            patients=patients,
            too_few=few,
            interval=UNDEFINED if few else measured.interval(inside),
            difference=NO_DIFFERENCE if few or others < minimum else measured.difference(inside, rest),
        )


def _corrected(rows: Sequence[Subgroup]) -> list[Subgroup]:
    """The rows of an attribute with corrected p-values; two groups are compared once."""
    p_values = [row.difference.p for row in rows]
    corrected = p_values if len(rows) == PAIR else holm(p_values)
    return [replace(row, corrected_p=p) for row, p in zip(rows, corrected, strict=True)]

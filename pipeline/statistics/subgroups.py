"""Subgroups: a measure within each group of images, compared with all other images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact

from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.auroc import auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.bootstrap import Column, Resampling, Units
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


class Sample(NamedTuple):
    """What is measured, with the patient and the attributes of each row."""

    measured: Measured
    patients: Units
    attributes: Mapping[str, Sequence[str]]
    """Attribute → value of each row, "" if unknown."""


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
    patients: Units,
    attributes: Mapping[str, Sequence[str]],
    *,
    minimum: int = ENOUGH_PATIENTS,
) -> list[Subgroup]:
    """One row per attribute and value, sorted; `attributes` holds the value for each row, "" if unknown."""
    return subgroups_together([Sample(measured, patients, attributes)], minimum=minimum)[0]


def subgroups_together(samples: Sequence[Sample], *, minimum: int = ENOUGH_PATIENTS) -> list[list[Subgroup]]:
    """The rows of each sample. All have the same attributes.

    They are computed group by group, because samples of as many patients share what is drawn.
    """
    found: list[list[Subgroup]] = [[] for _ in samples]
    for attribute in samples[0].attributes if samples else ():
        by_group = zip_longest(*(_groups(sample, attribute, minimum) for sample in samples))
        for rows, of_sample in zip(found, zip(*by_group, strict=True), strict=False):
            rows.extend(_corrected([row for row in of_sample if row is not None]))
    return found


def means(values: ArrayLike, patients: Units, resampling: Resampling) -> Measured:
    """The mean of values, compared by the bootstrap over patients."""
    column, patient = np.asarray(values, np.float64), np.asarray(patients)

    def rows_of(rows: Rows) -> Column:
        return column[rows], patient[rows]

    return Measured(
        lambda rows: interval_of_mean(*rows_of(rows), resampling),
        lambda inside, rest: difference_of_columns(rows_of(inside), rows_of(rest), resampling),
    )


def shares(values: ArrayLike, patients: Units, resampling: Resampling) -> Measured:
    """The share of rows (0 or 1) that are 1, compared by Fisher's exact test with one row per patient.

    Of a patient with several rows the first one counts, in the group that it is in: its chance of a hit is
    that of any row. A majority would be surer than a single row, so that groups whose patients have more
    images would differ although no image is likelier to be hit.
    """
    column, patient = np.asarray(values, np.float64), np.asarray(patients)
    by_bootstrap = means(column, patients, resampling)

    def difference(inside: Rows, rest: Rows) -> Difference:
        found = by_bootstrap.difference(inside, rest)
        return found._replace(p=fisher_p(column, patient, inside, rest))

    return Measured(lambda rows: interval_of_proportion(column[rows], patient[rows], resampling), difference)


def rankings(score: ArrayLike, label: ArrayLike, patients: Units, confidence: float) -> Measured:
    """The AUROC, compared by its closed variance over patients."""
    scores, truth, patient = np.asarray(score), np.asarray(label, np.bool_), np.asarray(patients)

    def of(rows: Rows) -> tuple[ArrayLike, ArrayLike, Units]:
        return scores[rows], truth[rows], patient[rows]

    return Measured(
        lambda rows: interval_of_auroc(ranked(*of(rows)), confidence),
        lambda inside, rest: auroc_difference(ranked(*of(inside)), ranked(*of(rest)), confidence),
    )


def fisher_p(values: NDArray[np.float64], patient: NDArray[Any], inside: Rows, rest: Rows) -> float:
    """The two-sided p-value of Fisher's exact test on the first row of each patient."""
    both = np.sort(np.concatenate([inside, rest]))
    _, first = np.unique(patient[both], return_index=True)
    counted = both[first]
    sides = (values[np.intersect1d(counted, rows)] for rows in (inside, rest))
    table = [[np.count_nonzero(side), np.count_nonzero(side == 0)] for side in sides]
    return float(fisher_exact(table).pvalue)


def _groups(sample: Sample, attribute: str, minimum: int) -> Iterator[Subgroup]:
    measured, patient = sample.measured, np.asarray(sample.patients)
    known = np.asarray(sample.attributes[attribute], np.str_)
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

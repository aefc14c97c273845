"""Subgroups: the mean score of each group of images, compared with all other images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import NO_DIFFERENCE, Difference, difference_of_columns, holm
from pipeline.statistics.intervals import UNDEFINED, Interval, interval_of_mean
from pipeline.statistics.proportions import interval_of_proportion


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
    """Holm-corrected over all comparisons of the call."""


def subgroups(
    values: ArrayLike,
    patients: Sequence[str],
    attributes: Mapping[str, Sequence[str]],
    resampling: Resampling,
    *,
    minimum: int = ENOUGH_PATIENTS,
    binary: bool = False,
) -> list[Subgroup]:
    """One row per attribute and value, sorted; `attributes` holds the value for each score, "" if unknown.

    `binary`: all values are 0 or 1, so intervals are those of a proportion.
    """
    scores, patient = np.asarray(values, np.float64), np.asarray(patients, np.str_)
    interval_of = interval_of_proportion if binary else interval_of_mean
    found = []
    for attribute, column in attributes.items():
        known = np.asarray(column, np.str_)
        for group in np.unique(known[known != ""]):
            inside, rest = ((scores[rows], patient[rows].tolist()) for rows in _split(known, group))
            few, few_others = (len(set(side[1])) < minimum for side in (inside, rest))
            found.append(
                Subgroup(
                    attribute=attribute,
                    group=str(group),
                    n=len(inside[1]),
                    patients=len(set(inside[1])),
                    too_few=few,
                    interval=UNDEFINED if few else interval_of(*inside, resampling),
                    difference=NO_DIFFERENCE
                    if few or few_others
                    else difference_of_columns(inside, rest, resampling),
                )
            )
    corrected = holm([row.difference.p for row in found])
    return [replace(row, corrected_p=p) for row, p in zip(found, corrected, strict=True)]


def _split(known: NDArray[np.str_], group: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are in the group, and which are in any other known group."""
    return known == group, (known != group) & (known != "")

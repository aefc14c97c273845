"""Subgroups: a score within each group of images, beside all other images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.comparison import NO_DIFFERENCE, Difference, difference_of_columns, holm
from pipeline.metrics.intervals import UNDEFINED, Interval, interval_of_mean
from pipeline.metrics.proportions import interval_of_proportion

MINIMUM = 10
"""Patients from whom on an interval covers the truth as often as it says; `make simulate` measures it."""


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One value of one attribute."""

    attribute: str
    group: str
    n: int
    """Scores."""
    patients: int
    too_few: bool
    """Fewer patients than the minimum: there is no number, and no comparison is counted."""
    interval: Interval
    difference: Difference
    """To the images with another known value; undefined where those are too few."""
    corrected_p: float | None = None
    """By Holm, over all comparisons of the call."""


def subgroups(
    values: ArrayLike,
    patients: Sequence[str],
    attributes: Mapping[str, Sequence[str]],
    resampling: Resampling,
    *,
    minimum: int = MINIMUM,
    binary: bool = False,
) -> list[Subgroup]:
    """A row an attribute and value, sorted; `attributes` gives the value of each score, "" where unknown.

    `binary`: all values are 0 or 1, and so a plain proportion has its exact interval.
    """
    scores, of = np.asarray(values, np.float64), np.asarray(patients, np.str_)
    interval_of = interval_of_proportion if binary else interval_of_mean
    found = []
    for attribute, column in attributes.items():
        known = np.asarray(column, np.str_)
        for group in np.unique(known[known != ""]):
            inside, rest = ((scores[rows], of[rows].tolist()) for rows in _split(known, group))
            few, alone = (len(set(side[1])) < minimum for side in (inside, rest))
            found.append(
                Subgroup(
                    attribute=attribute,
                    group=str(group),
                    n=len(inside[1]),
                    patients=len(set(inside[1])),
                    too_few=few,
                    interval=UNDEFINED if few else interval_of(*inside, resampling),
                    difference=NO_DIFFERENCE
                    if few or alone
                    else difference_of_columns(inside, rest, resampling),
                )
            )
    corrected = holm([row.difference.p for row in found])
    return [replace(row, corrected_p=p) for row, p in zip(found, corrected, strict=True)]


def _split(known: NDArray[np.str_], group: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows of the group, and rows of any other group."""
    return known == group, (known != group) & (known != "")

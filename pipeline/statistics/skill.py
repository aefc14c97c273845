"""Skill: a score on a scale from 0 (a prior that ignores the image) to 1 (readers' agreement)."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pipeline.records import Values
from pipeline.statistics.bootstrap import Column, Resampling, replicated_means
from pipeline.statistics.intervals import UNDEFINED, Interval, intervals

PERFECT: dict[Literal["higher", "lower"], float] = {"higher": 1.0, "lower": 0.0}
"""Best possible score, the ceiling with a single reader, by the direction in which scores improve."""


def skill(
    score: ArrayLike,
    prior: ArrayLike,
    patients: Sequence[str],
    resampling: Resampling,
    *,
    ceiling: Column | None = None,
    better: Literal["higher", "lower"] = "higher",
) -> Interval:
    """(score - prior) / (ceiling - prior) of the means, with its interval over patients.

    1 equals the readers' agreement, 0 equals the prior, negative values are worse than the prior. `score` and
    `prior` are paired row by row; `ceiling` may cover only the cases that several readers judged. Undefined
    if the ceiling is not better than the prior; replicates with this property are left out.
    """
    columns = [(score, patients), (prior, patients), *([ceiling] if ceiling else [])]
    if not all(len(column_patients) for _, column_patients in columns):
        return UNDEFINED
    best, sign = PERFECT[better], 1 if better == "higher" else -1

    def skills(means: Values) -> Values:
        reached, start = means[:, :1], means[:, 1:2]
        end = means[:, 2:] if ceiling else np.full_like(start, best)
        distance = np.where(sign * (end - start) > 0, end - start, np.nan)
        return (reached - start) / distance

    return intervals(replicated_means(columns, resampling).transformed(skills), resampling)[0]


def share_of(part: Column, whole: Column, resampling: Resampling) -> Interval:
    """The mean of `part` divided by the mean of `whole`, with its interval over patients.

    Undefined if the whole is 0; replicates in which it is 0 are left out.
    """
    if not (len(part[1]) and len(whole[1])):
        return UNDEFINED

    def ratio(means: Values) -> Values:
        return means[:, :1] / np.where(means[:, 1:2] > 0, means[:, 1:2], np.nan)

    return intervals(replicated_means([part, whole], resampling).transformed(ratio), resampling)[0]

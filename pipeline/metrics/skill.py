"""Skill: how far a score is on the way from a map that never looks to what the readers reach themselves."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pipeline.metrics.bootstrap import Column, Resampling, Values, replicated_means
from pipeline.metrics.intervals import UNDEFINED, Interval, intervals

PERFECT: dict[Literal["higher", "lower"], float] = {"higher": 1.0, "lower": 0.0}
"""The ceiling where there is one reader alone, for scores that are shares."""


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

    1 is as good as readers agree, 0 as good as the prior, below 0 worse. `score` and `prior` are of the same
    cases, row by row; `ceiling` may be of those of them that several readers saw. Undefined where the ceiling
    is no better than the prior; draws in which it is not are left out.
    """
    columns = [(score, patients), (prior, patients), *([ceiling] if ceiling else [])]
    if not all(len(of) for _, of in columns):
        return UNDEFINED
    best, sign = PERFECT[better], 1 if better == "higher" else -1

    def gone(means: Values) -> Values:
        reached, start = means[:, :1], means[:, 1:2]
        end = means[:, 2:] if ceiling else np.full_like(start, best)
        way = np.where(sign * (end - start) > 0, end - start, np.nan)
        return (reached - start) / way

    return intervals(replicated_means(columns, resampling).through(gone), resampling)[0]


def share_of(part: Column, whole: Column, resampling: Resampling) -> Interval:
    """The mean of `part` over that of `whole`, with its interval over patients: a share of reader agreement.

    Undefined where the whole is 0; draws in which it is are left out.
    """
    if not (len(part[1]) and len(whole[1])):
        return UNDEFINED

    def ratio(means: Values) -> Values:
        return means[:, :1] / np.where(means[:, 1:2] > 0, means[:, 1:2], np.nan)

    return intervals(replicated_means([part, whole], resampling).through(ratio), resampling)[0]

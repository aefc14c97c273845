"""Skill: a score on a scale from 0 (a prior that ignores the image) to 1 (readers' agreement)."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pipeline.records import Values
from pipeline.statistics.bootstrap import Column, Resampling, Units, replicated_means
from pipeline.statistics.intervals import UNDEFINED, Interval, intervals
from pipeline.statistics.proportions import interval_of_share

PERFECT: dict[Literal["higher", "lower"], float] = {"higher": 1.0, "lower": 0.0}
"""Best possible score, the ceiling with a single reader, by the direction in which scores improve."""


def skill(
    score: ArrayLike,
    prior: ArrayLike,
    patients: Units,
    resampling: Resampling,
    *,
    ceiling: Column | None = None,
    better: Literal["higher", "lower"] = "higher",
) -> Interval:
    """(score - prior) / (ceiling - prior) of the means, with its interval over patients.

    1 equals the readers' agreement, 0 equals the prior, negative values are worse than the prior. `score` and
    `prior` are paired row by row; `ceiling` may cover only the cases that several readers judged. Undefined
    if the ceiling is not better than the prior; replicates with this property are left out. If all scores are
    1 and so is the ceiling, the lower bound is that of `_least_skill`.
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

    found = intervals(replicated_means(columns, resampling).transformed(skills), resampling)[0]
    perfect = [score, *([ceiling[0]] if ceiling else [])]
    if (
        found.estimate == 1
        and better == "higher"
        and all((np.asarray(rows) == best).all() for rows in perfect)
    ):
        return Interval(1.0, _least_skill(prior, patients, resampling), 1.0)
    return found


def _least_skill(prior: ArrayLike, patients: Units, resampling: Resampling) -> float | None:
    """The lower bound of the skill of scores that are all 1: every replicate says 1, whatever their number.

    Skill is 1 - e / d with the error e = 1 - score, found to be 0, and the distance d = 1 - prior. The upper
    bound of e is exact (`interval_of_share`). By MOVER (Donner & Zou 2012), that of e / d is
    e_high / √(d_low · (2 d - d_low)). None if the prior may be perfect, too.
    """
    of_prior = interval_of_share(prior, patients, resampling)
    of_score = interval_of_share(np.ones(len(patients)), patients, resampling)
    assert of_prior.estimate is not None
    assert of_score.low is not None
    distance = 1 - of_prior.estimate
    least = distance if of_prior.high is None else 1 - of_prior.high
    if least <= 0:
        return None
    return float(1 - (1 - of_score.low) / np.sqrt(least * (2 * distance - least)))


def share_of(part: Column, whole: Column, resampling: Resampling) -> Interval:
    """The mean of `part` divided by the mean of `whole`, with its interval over patients.

    Undefined if the whole is 0; replicates in which it is 0 are left out.
    """
    if not (len(part[1]) and len(whole[1])):
        return UNDEFINED

    def ratio(means: Values) -> Values:
        return means[:, :1] / np.where(means[:, 1:2] > 0, means[:, 1:2], np.nan)

    return intervals(replicated_means([part, whole], resampling).transformed(ratio), resampling)[0]

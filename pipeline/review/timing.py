"""Timing: how long reviewers looked, per answer and blind reading; medians with intervals over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Values
from pipeline.review.decisions import Decisions
from pipeline.statistics.bootstrap import Resampling, replicated, row_weights
from pipeline.statistics.intervals import Interval, intervals

Timed: TypeAlias = Literal["answer", "second_look", "reading"]
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """The median time in seconds of one reviewer's answers, second looks or blind readings."""

    reviewer: str
    of: Timed
    n: int
    patients: int
    interval: Interval


def timings(files: Sequence[Decisions], units: Mapping[str, str], resampling: Resampling) -> list[Timing]:
    """A row per reviewer and kind of answer of which any was timed.

    `units` is case_id → unit that the bootstrap resamples, usually the patient.
    """
    found = []
    for decisions in files:
        for of, timed in _seconds(decisions).items():
            if not timed:
                continue
            seconds = np.array([value for _, value in timed])
            patients = [units[case_id] for case_id, _ in timed]
            interval = median_interval(seconds, patients, resampling)
            found.append(Timing(decisions.reviewer, of, len(timed), len(set(patients)), interval))
    return found


def _seconds(decisions: Decisions) -> dict[Timed, list[tuple[str, float]]]:
    """Case id and seconds of what was timed."""
    answers, readings = decisions.decisions, decisions.readings
    second = [(entry.case_id, entry.second) for entry in answers if entry.second]
    return {
        "reading": [(entry.case_id, entry.seconds) for entry in readings if entry.seconds is not None],
        "answer": [(entry.case_id, entry.seconds) for entry in answers if entry.seconds is not None],
        "second_look": [(case_id, look.seconds) for case_id, look in second if look.seconds is not None],
    }


def median_interval(seconds: Values, patients: Sequence[str], resampling: Resampling) -> Interval:
    """The median of `seconds` (one or more), with its interval over patients, which are resampled whole."""
    names, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)
    order = np.argsort(seconds, kind="stable")
    ordered, unit = seconds[order], unit[order]

    def medians(weights: Values) -> Values:
        return np.concatenate([weighted_medians(w, ordered) for w in row_weights([weights], unit)])[:, None]

    return intervals(replicated(medians, len(names), resampling), resampling)[0]


def weighted_medians(weights: Values, ordered: Values) -> Values:
    """The weighted median of values in ascending order, for each row of weights; NaN without any weight.

    Where a value ends exactly the lower half, the mean of it and the next one with a weight.
    """
    sums = weights.cumsum(axis=1)
    half = sums[:, -1:] * HALF
    lower, upper = _first(sums >= half), _first(sums > half)
    median: Values = (ordered[lower] + ordered[upper]) / 2
    return np.where(sums[:, -1] > 0, median, np.nan)


def _first(true: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index of the first true value of each row; 0 if there is none."""
    first: NDArray[np.intp] = true.argmax(axis=1)
    return first

"""Calibration: whether a probability of 0.7 comes true in 7 of 10."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bootstrap import Resampling, Values
from pipeline.metrics.proportions import interval_of_proportion

BINS = 10


class Bin(NamedTuple):
    """Neighbouring predictions, and how often they came true."""

    lowest: float
    highest: float
    predicted: float
    """Mean probability."""
    n: int
    observed: float
    """The share with the finding."""
    low: float | None
    high: float | None


def calibration_curve(
    probability: ArrayLike,
    label: ArrayLike,
    patients: Sequence[str],
    resampling: Resampling,
    *,
    bins: int = BINS,
) -> list[Bin]:
    """Bins of counts as equal as ties allow, the lowest probabilities first; fewer where cases are few.

    Equal probabilities are in one bin. Intervals are exact where every patient of a bin has one image in it,
    else over patients.
    """
    chance, truth = np.asarray(probability, np.float64), np.asarray(label, np.float64)
    of = np.asarray(patients, np.str_)
    parts = [part for part in _parts(chance, bins) if part.size]
    return [
        Bin(
            float(chance[part].min()),
            float(chance[part].max()),
            float(chance[part].mean()),
            len(part),
            *(
                float(truth[part].mean()),
                *interval_of_proportion(truth[part], of[part].tolist(), resampling)[1:],
            ),
        )
        for part in parts
    ]


def _parts(chance: Values, bins: int) -> list[NDArray[np.intp]]:
    """The places of the values of each bin, cut where values differ."""
    order = np.argsort(chance, kind="stable")
    ends = np.searchsorted(chance[order], chance[order], side="right")
    size, left_over = divmod(len(order), bins)
    wanted = [number * size + min(number, left_over) for number in range(1, bins + 1)]
    return np.split(order, np.unique([ends[cut - 1] for cut in wanted if cut]))

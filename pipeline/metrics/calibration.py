"""Calibration: whether a probability of 0.7 comes true in 7 of 10."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pipeline.metrics.bootstrap import Resampling
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
    """Bins of equal counts (within one), the lowest probabilities first; fewer where there are fewer cases.

    Intervals are exact where every patient of a bin has one image in it, else over patients.
    """
    chance, truth = np.asarray(probability, np.float64), np.asarray(label, np.float64)
    of = np.asarray(patients, np.str_)
    order = np.lexsort((truth, chance))
    parts = [part for part in np.array_split(order, bins) if part.size]
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


def expected_calibration_error(curve: Sequence[Bin]) -> float | None:
    """The mean distance of observed from predicted, each bin by its count (Guo et al. 2017, eq. 3)."""
    cases = sum(part.n for part in curve)
    return sum(part.n * abs(part.observed - part.predicted) for part in curve) / cases if cases else None

"""Operating point: the probability threshold at which a finding is called present."""

import numpy as np
from numpy.typing import ArrayLike


def youden(probability: ArrayLike, present: ArrayLike) -> float | None:
    """The probability threshold with the highest sensitivity + specificity - 1 (Youden's J, 1950).

    The threshold lies halfway to the next lower probability, so that rounding has no effect. Among equally
    good thresholds the lowest is taken, which misses least. None if one class is missing.
    """
    predicted, truth = np.asarray(probability, np.float64), np.asarray(present, np.bool_)
    if truth.all() or not truth.any():
        return None
    levels = np.unique(predicted)
    at_or_above = predicted[None] >= levels[:, None]
    gain = (at_or_above & truth).sum(axis=1) / truth.sum() - (at_or_above & ~truth).sum(axis=1) / (
        ~truth
    ).sum()
    best = int(np.argmax(gain))
    return float(levels[best] if best == 0 else (levels[best - 1] + levels[best]) / 2)

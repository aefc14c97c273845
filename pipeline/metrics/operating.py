"""Operating: the probability from which on to call a finding present."""

import numpy as np
from numpy.typing import ArrayLike


def youden(probability: ArrayLike, present: ArrayLike) -> float | None:
    """The probability for which "present from there up" has the most sensitivity + specificity (Youden 1950).

    It lies halfway to the next lower one that occurs, so that rounding decides nothing; of equally good ones
    it is the lowest, which misses least. None where one class is missing.
    """
    chance, truth = np.asarray(probability, np.float64), np.asarray(present, np.bool_)
    if truth.all() or not truth.any():
        return None
    levels = np.unique(chance)
    at_or_above = chance[None] >= levels[:, None]
    gain = (at_or_above & truth).sum(axis=1) / truth.sum() - (at_or_above & ~truth).sum(axis=1) / (
        ~truth
    ).sum()
    best = int(np.argmax(gain))
    return float(levels[best] if best == 0 else (levels[best - 1] + levels[best]) / 2)

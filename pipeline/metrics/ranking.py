"""Ranking: AUROC and average precision from counts of positives and negatives at each value.

Counts have a row a weighting and a column a distinct value of the score, the lowest first; all that have the
same value are one step of the curve.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.bootstrap import Values


def auroc_of_counts(positive: Values, negative: Values) -> Values:
    """The chance that a positive is above a negative, ties counted half, (rows,); NaN of one class."""
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0 is how a row of one class becomes NaN
        chance: Values = (positive * below).sum(axis=1) / pairs
    return chance


def average_precision_of_counts(positive: Values, negative: Values) -> Values:
    """Precision at each step, weighted by the recall that the step adds, (rows,); NaN without positives.

    The area under the precision–recall curve without interpolation (Davis & Goadrich 2006).
    """
    found, called = (np.cumsum(c[:, ::-1], axis=1)[:, ::-1] for c in (positive, positive + negative))
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    with np.errstate(invalid="ignore"):
        area: Values = (positive * precision).sum(axis=1) / positive.sum(axis=1)
    return area


def counted(score: Values, label: NDArray[np.bool_], weights: Values) -> tuple[Values, Values]:
    """Weighted positives and negatives at each distinct score, as above; `weights` is (rows, cases)."""
    order = np.argsort(score, kind="stable")
    ordered, label, weights = score[order], label[order], weights[:, order]
    first_of_ties = np.flatnonzero(np.diff(ordered, prepend=-np.inf))
    return (
        np.add.reduceat(weights * label, first_of_ties, axis=1),
        np.add.reduceat(weights * ~label, first_of_ties, axis=1),
    )

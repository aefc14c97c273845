"""Ranking: AUROC, average precision and the highest scores, from counts of positives and negatives per value.

Counts have one row per weighting and one column per distinct score, lowest first; equal scores form one step
of the curve.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Values


def auroc_of_counts(positive: Values, negative: Values) -> Values:
    """Probability, (rows,), that a positive scores above a negative; ties count half; NaN with one class."""
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0: a row with one class becomes NaN
        auroc: Values = (positive * below).sum(axis=1) / pairs
    return auroc


def average_precision_of_counts(positive: Values, negative: Values) -> Values:
    """Precision at each step, weighted by the recall that the step adds, (rows,); NaN without positives.

    The area under the precision–recall curve without interpolation (Davis & Goadrich 2006).
    """
    true_positives, predicted = (
        np.cumsum(c[:, ::-1], axis=1)[:, ::-1] for c in (positive, positive + negative)
    )
    precision = np.divide(true_positives, predicted, out=np.zeros_like(true_positives), where=predicted > 0)
    with np.errstate(invalid="ignore"):
        area: Values = (positive * precision).sum(axis=1) / positive.sum(axis=1)
    return area


def top_share_of_counts(positive: Values, negative: Values) -> Values:
    """Expected share of positives, (rows,), among as many of the highest as there are positives.

    Of equal scores, each choice is as likely, so the step at the border counts by its mean. NaN without
    positives.
    """
    wanted = positive.sum(axis=1, keepdims=True)
    at_step = positive + negative
    above = np.cumsum(at_step[:, ::-1], axis=1)[:, ::-1] - at_step
    taken = np.clip(wanted - above, 0, at_step)
    found = np.divide(positive * taken, at_step, out=np.zeros_like(taken), where=at_step > 0)
    with np.errstate(invalid="ignore"):
        share: Values = found.sum(axis=1) / wanted[:, 0]
    return share


def counted(score: Values, label: NDArray[np.bool_], weights: Values) -> tuple[Values, Values]:
    """Weighted counts of positives and negatives at each distinct score; `weights` is (rows, cases)."""
    order = np.argsort(score, kind="stable")
    ordered, label, weights = score[order], label[order], weights[:, order]
    first_of_ties = np.flatnonzero(np.diff(ordered, prepend=-np.inf))
    return (
        np.add.reduceat(weights * label, first_of_ties, axis=1),
        np.add.reduceat(weights * ~label, first_of_ties, axis=1),
    )

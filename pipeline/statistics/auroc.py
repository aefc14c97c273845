"""AUROC over patients: its interval and its differences in closed form, by the method of DeLong et al.

The variance is that of DeLong, DeLong & Clarke-Pearson (1988), extended to several images per patient by
Obuchowski (1997). It costs one sort, so that many AUROCs can be compared, and its p-values have no smallest
value that a correction for many comparisons could not pass, as those of bootstrap replicates have.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata
from scipy.stats import t as student

from pipeline.records import Values
from pipeline.statistics.bootstrap import Units
from pipeline.statistics.comparison import NO_DIFFERENCE, Difference
from pipeline.statistics.intervals import UNDEFINED, Interval
from pipeline.statistics.proportions import clopper_pearson

LEAST_VARIANCE = 1e-18
"""Below it, all placements are equal but for rounding."""
LEAST_PATIENTS = 2
"""With a finding, and without it, for a variance."""


class Ranked(NamedTuple):
    """The AUROC of scores, and what each patient contributes to it."""

    estimate: float
    n: int
    """Number of images."""
    units: NDArray[Any]
    """Sorted patients."""
    positive: Values
    """Σ (placement - AUROC) over the patient's images with the finding, divided by their total number."""
    negative: Values
    """The same over images without the finding."""
    has_positive: NDArray[np.bool_]
    has_negative: NDArray[np.bool_]


def ranked(score: ArrayLike, label: ArrayLike, patients: Units) -> Ranked | None:
    """The AUROC with its contributions of patients; None if one class is missing. Ties count half."""
    scores, truth = np.asarray(score, np.float64), np.asarray(label, np.bool_)
    m, n = int(truth.sum()), int((~truth).sum())
    if not (m and n):
        return None
    units, unit = np.unique(np.asarray(patients), return_inverse=True)
    among_all = rankdata(scores)
    above = (among_all[truth] - rankdata(scores[truth])) / n
    below = 1 - (among_all[~truth] - rankdata(scores[~truth])) / m
    estimate = float(above.mean())

    def contributions(placements: Values, rows: NDArray[np.bool_]) -> Values:
        sums = np.bincount(unit[rows], weights=placements - estimate, minlength=len(units))
        return sums.astype(np.float64) / len(placements)

    present, absent = (np.bincount(unit[rows], minlength=len(units)) > 0 for rows in (truth, ~truth))
    return Ranked(
        estimate, m + n, units, contributions(above, truth), contributions(below, ~truth), present, absent
    )


def interval_of_auroc(found: Ranked | None, confidence: float) -> Interval:
    """The interval on the scale of log-odds, which stays within 0 … 1; exact where the AUROC is 0 or 1."""
    if found is None:
        return UNDEFINED
    if found.estimate in {0.0, 1.0}:
        sides = (found.units[found.has_positive].tolist(), found.units[found.has_negative].tolist())
        return separated_interval(found.estimate, *sides, confidence)
    variance, freedom = _variance([found])
    if variance is None:
        return Interval(found.estimate, None, None)
    error = np.sqrt(variance) / (found.estimate * (1 - found.estimate))
    half = student.ppf((1 + confidence) / 2, freedom) * error
    low, high = expit(logit(found.estimate) + np.array([-half, half]))
    return Interval(found.estimate, float(low), float(high))


def separated_interval(
    estimate: float, with_it: Collection[str], without: Collection[str], confidence: float
) -> Interval:
    """The exact interval of an AUROC of exactly 1 or 0, from the patients with and without the finding.

    Of k pairs of two patients, one with the finding and one without, in which nobody occurs twice, all are
    ordered alike. The pairs are independent, hence k of k trials succeed with the AUROC as chance (Clopper &
    Pearson 1934). The bound cannot be narrower without knowledge of the distribution: where only one score
    in n errs, all are separated with just that chance.
    """
    pairs = min(len(set(with_it)), len(set(without)), len({*with_it, *without}) // 2)
    if not pairs:
        return Interval(estimate, None, None)
    return Interval(estimate, *clopper_pearson(round(estimate) * pairs, pairs, confidence=confidence))


def auroc_difference(first: Ranked | None, second: Ranked | None, confidence: float) -> Difference:
    """First minus second AUROC of the same images, or of other images of the same or other patients.

    If no placement varies, the two are 0 and 1: the p-value is that of the sign test over pairs of patients.
    """
    if first is None or second is None:
        return NO_DIFFERENCE
    difference = first.estimate - second.estimate
    variance, freedom = _variance([first, second])
    if variance is None:
        return Difference(difference, None, None, None)
    if variance < LEAST_VARIANCE:
        p = min(1.0, 2 * 0.5 ** (freedom + 1)) if difference else 1.0
        return Difference(difference, None, None, p)
    error = np.sqrt(variance)
    half = student.ppf((1 + confidence) / 2, freedom) * error
    p = float(2 * student.sf(abs(difference) / error, freedom))
    return Difference(difference, float(difference - half), float(difference + half), p)


def _variance(parts: Sequence[Ranked]) -> tuple[float | None, int]:
    """The variance of an AUROC, or of the first minus the second, and its degrees of freedom.

    These are one less than the patients of the rarer class of either. None with fewer than two patients of a
    class: a single one does not vary.
    """
    units = np.unique(np.concatenate([part.units for part in parts]))
    positive, negative = np.zeros((2, len(units)))
    present, absent = np.zeros((2, len(units)), np.bool_)
    for sign, part in zip((1, -1), parts, strict=False):
        place = np.searchsorted(units, part.units)
        positive[place] += sign * part.positive
        negative[place] += sign * part.negative
        present[place] |= part.has_positive
        absent[place] |= part.has_negative
    with_it, without = int(present.sum()), int(absent.sum())
    rarer = min(int(side.sum()) for part in parts for side in (part.has_positive, part.has_negative))
    if rarer < LEAST_PATIENTS:
        return None, 0
    variance = (
        (positive @ positive) * with_it / (with_it - 1)
        + (negative @ negative) * without / (without - 1)
        + 2 * (positive @ negative) * len(units) / (len(units) - 1)
    )
    return max(float(variance), 0.0), rarer - 1

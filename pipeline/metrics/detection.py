"""Detection: lesions found and contours that found none, over the study set: recall, FROC, precision.

A lesion is found by the highest-scored contour that matched it; further contours that matched it (many to
one) count neither way. False positives are counted on images with the finding and on healthy ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.bootstrap import Values
from pipeline.metrics.lesions import Rule, matches
from pipeline.names import FROC_RATES
from pipeline.records import Candidates


class Events(NamedTuple):
    """Contours that count, the highest score first, and what they are counted against."""

    score: Values
    found: Values
    """1: it found a lesion; 0: a false positive."""
    unit: NDArray[np.intp]
    """Whose contour it is: the place of its patient."""
    lesions: Values
    """Of each patient."""
    images: Values
    """Of each patient: all that a reader judged, healthy ones too."""


class Steps(NamedTuple):
    """What is found as the threshold on the score falls, (weightings, distinct scores)."""

    found: Values
    false: Values
    lesions: Values
    """(weightings, 1)."""
    images: Values


def events(cases: Sequence[Candidates], units: Sequence[int], rule: Rule) -> Events:
    """Of cases of one finding, reader and method; `units` is the place of each case's patient, from 0."""
    rows = [
        (score, found, unit)
        for case, unit in zip(cases, units, strict=True)
        for score, found in _counting(case, rule)
    ]
    score, found, unit = np.array(rows, np.float64).reshape(-1, 3).T
    order = np.lexsort((unit, found, -score))
    size = max(units) + 1
    return Events(
        score[order],
        found[order],
        unit[order].astype(np.intp),
        np.bincount(units, weights=[case.lesions for case in cases], minlength=size).astype(np.float64),
        np.bincount(units, minlength=size).astype(np.float64),
    )


def steps(of: Events, weights: Values) -> Steps:
    """Cumulative counts at each distinct score, the highest first; `weights` is (weightings, patients)."""
    of_events = weights[:, of.unit]
    last_of_ties = np.flatnonzero(np.diff(of.score, append=-np.inf))
    return Steps(
        np.cumsum(of_events * of.found, axis=1)[:, last_of_ties],
        np.cumsum(of_events * (1 - of.found), axis=1)[:, last_of_ties],
        (weights @ of.lesions)[:, None],
        (weights @ of.images)[:, None],
    )


def recall(at: Steps) -> Values:
    """The share of lesions that any contour found, (weightings, 1); NaN without lesions."""
    return _share(_last(at.found), at.lesions)


def froc(at: Steps, rates: Sequence[float] = FROC_RATES) -> Values:
    """Sensitivity at each rate of false positives an image, (weightings, rates).

    At the lowest threshold whose false positives do not exceed the rate: what a user can choose, not what
    lies on a line between two choices.
    """
    before = np.pad(at.found, ((0, 0), (1, 0)))
    columns = []
    for rate in rates:
        allowed = (at.false <= rate * at.images).sum(axis=1, keepdims=True)
        columns.append(_share(np.take_along_axis(before, allowed, axis=1), at.lesions))
    return np.concatenate(columns, axis=1)


def average_precision(at: Steps) -> Values:
    """The area under the envelope of precision over recall (PASCAL VOC 2010), (weightings, 1)."""
    called = at.found + at.false
    precision = np.divide(at.found, called, out=np.zeros_like(called), where=called > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    gained = np.diff(at.found, axis=1, prepend=0)
    return _share((gained * envelope).sum(axis=1, keepdims=True), at.lesions)


def _counting(case: Candidates, rule: Rule) -> list[tuple[float, bool]]:
    """(score, found a lesion) of each contour, without those that matched a lesion found already."""
    ordered = sorted(zip(case.scores, matches(case, rule), strict=True), key=lambda row: -row[0])
    seen: set[int] = set()
    counting = []
    for score, lesion in ordered:
        if lesion not in seen:
            counting.append((score, lesion is not None))
        if lesion is not None:
            seen.add(lesion)
    return counting


def _last(cumulative: Values) -> Values:
    return cumulative[:, -1:] if cumulative.shape[1] else np.zeros((len(cumulative), 1))


def _share(part: Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):  # 0/0: a draw without lesions
        share: Values = part / whole
    return share

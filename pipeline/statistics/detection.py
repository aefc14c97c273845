"""Detection: recall, FROC and average precision of lesions over the study set.

The highest-scored contour that matches a lesion is its true positive; further contours that match it (many
to one) are ignored. False positives are counted on images with the finding and on healthy images.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.lesions import Rule, matches
from pipeline.records import Candidates, Values
from pipeline.records.names import FROC_RATES


class Events(NamedTuple):
    """True and false positives by descending score, with the numbers of lesions and images."""

    score: Values
    """Score of each contour."""
    found: Values
    """1 for a true positive, 0 for a false positive."""
    unit: NDArray[np.intp]
    """Patient index of each contour."""
    lesions: Values
    """Number of lesions of each patient."""
    images: Values
    """Number of images of each patient that the reader judged, including healthy ones."""


class Steps(NamedTuple):
    """Cumulative counts as the score threshold falls: (replicates, distinct scores)."""

    found: Values
    """True positives."""
    false: Values
    """False positives."""
    lesions: Values
    """(replicates, 1)."""
    images: Values
    """(replicates, 1)."""


def events(cases: Sequence[Candidates], units: Sequence[int], rule: Rule) -> Events:
    """The events of one finding, reader and method; `units` is the patient index of each case, from 0."""
    rows = [
        (score, found, unit)
        for case, unit in zip(cases, units, strict=True)
        for score, found in _countable(case, rule)
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


def steps(counted: Events, weights: Values) -> Steps:
    """Cumulative counts at each distinct score, by descending score; `weights` is (replicates, patients)."""
    contour_weights = weights[:, counted.unit]
    last_of_ties = np.flatnonzero(np.diff(counted.score, append=-np.inf))
    return Steps(
        np.cumsum(contour_weights * counted.found, axis=1)[:, last_of_ties],
        np.cumsum(contour_weights * (1 - counted.found), axis=1)[:, last_of_ties],
        (weights @ counted.lesions)[:, None],
        (weights @ counted.images)[:, None],
    )


def recall(at: Steps) -> Values:
    """The share of lesions found by any contour: (replicates, 1). NaN without lesions."""
    return _share(_last(at.found), at.lesions)


def froc(at: Steps, rates: Sequence[float] = FROC_RATES) -> Values:
    """Sensitivity at each rate of false positives per image: (replicates, rates).

    Taken at the lowest threshold whose false-positive rate does not exceed the given rate, without
    interpolation, because a user can only choose an existing threshold.
    """
    before = np.pad(at.found, ((0, 0), (1, 0)))
    columns = []
    for rate in rates:
        allowed = (at.false <= rate * at.images).sum(axis=1, keepdims=True)
        columns.append(_share(np.take_along_axis(before, allowed, axis=1), at.lesions))
    return np.concatenate(columns, axis=1)


def average_precision(at: Steps) -> Values:
    """The area under the precision envelope over recall (PASCAL VOC 2010): (replicates, 1)."""
    positives = at.found + at.false
    precision = np.divide(at.found, positives, out=np.zeros_like(positives), where=positives > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall_steps = np.diff(at.found, axis=1, prepend=0)
    return _share((recall_steps * envelope).sum(axis=1, keepdims=True), at.lesions)


def _countable(case: Candidates, rule: Rule) -> list[tuple[float, bool]]:
    """(score, found a lesion) per contour, without contours whose lesion a higher-scored one has found."""
    ordered = sorted(zip(case.scores, matches(case, rule), strict=True), key=lambda row: -row[0])
    found: set[int] = set()
    countable = []
    for score, lesion in ordered:
        if lesion not in found:
            countable.append((score, lesion is not None))
        if lesion is not None:
            found.add(lesion)
    return countable


def _last(cumulative: Values) -> Values:
    return cumulative[:, -1:] if cumulative.shape[1] else np.zeros((len(cumulative), 1))


def _share(part: Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):  # 0/0: a replicate without lesions
        share: Values = part / whole
    return share

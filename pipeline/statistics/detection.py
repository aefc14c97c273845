"""Detection: recall, FROC and average precision of lesions over the study set.

The highest-scored contour that matches a lesion is its true positive; further contours that match it (many
to one) are ignored. False positives are counted on images with the finding and on healthy images.

As the score threshold falls, sensitivity and the best precision change only where a lesion is found. Counts
are kept at these steps alone, a small part of all contours; they are whole numbers, so nothing is rounded.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Values
from pipeline.records.names import FROC_RATES
from pipeline.statistics.matched import Matched, Rows

Counts = NDArray[np.int32]


class Ranking(NamedTuple):
    """The contours that count, by descending score."""

    unit: Rows
    """Patient index of each contour."""
    step: Rows
    """Number of the contour's score among the distinct scores, from 0."""


class Events(NamedTuple):
    """True and false positives by one rule, with the numbers of lesions and images."""

    ranking: Ranking
    """The same object for rules by which the same contours count."""
    hits: Rows
    """Positions of the true positives in the ranking."""
    lesions: Values
    """Number of lesions of each patient."""
    images: Values
    """Number of images of each patient that the reader judged, including healthy ones."""


class Steps(NamedTuple):
    """Cumulative counts as the score threshold falls: (replicates, scores at which lesions are found)."""

    found: Counts
    """True positives."""
    false: Counts
    """False positives."""
    lesions: Values
    """(replicates, 1)."""
    images: Values
    """(replicates, 1)."""
    number: Rows
    """Number of each of these scores among all distinct scores, from 0."""
    scores: int
    """Number of all distinct scores."""


def events(matched: Matched, rows: Rows, unit: Rows) -> list[Events]:
    """The events of one finding, reader and method by each of `matched.rules`.

    `unit` is the patient index of each row, from 0.
    """
    size = int(unit.max()) + 1
    lesions = np.bincount(unit, matched.lesion_counts(rows), minlength=size).astype(np.float64)
    images = np.bincount(unit, minlength=size).astype(np.float64)
    contours = matched.contours(rows)
    by_score = np.argsort(-contours.score, kind="stable")
    rankings: dict[bytes, tuple[Ranking, Rows]] = {}
    counted = []
    for number in range(len(matched.rules)):
        counts = (contours.ignored >> number) & 1 == 0
        if (key := counts.tobytes()) not in rankings:
            chosen = by_score[counts[by_score]]
            step = np.cumsum(np.diff(contours.score[chosen], prepend=contours.score[chosen[:1]]) != 0)
            rankings[key] = Ranking(unit[contours.row[chosen]], step), chosen
        ranking, chosen = rankings[key]
        hits = np.flatnonzero((contours.found[chosen] >> number) & 1)
        counted.append(Events(ranking, hits, lesions, images))
    return counted


def steps(counted: Sequence[Events], weights: Values) -> list[Steps]:
    """The counts of each of these events of the same images; `weights` is (replicates, patients)."""
    drawn = weights.astype(np.int32)
    called = {id(one.ranking): _cumulated(drawn[:, one.ranking.unit]) for one in counted}
    lesions, images = weights @ counted[0].lesions, weights @ counted[0].images
    return [_steps(one, drawn, called[id(one.ranking)], lesions[:, None], images[:, None]) for one in counted]


def _steps(counted: Events, drawn: Counts, called: Counts, lesions: Values, images: Values) -> Steps:
    """The counts of events, from the cumulative weights `called` of the contours in their ranking."""
    unit, step = counted.ranking
    found = _cumulated(drawn[:, unit[counted.hits]])
    last_hit = np.flatnonzero(np.diff(step[counted.hits], append=-1))
    numbers = step[counted.hits][last_hit]
    last_contour = np.searchsorted(step, numbers, side="right") - 1
    found = found[:, last_hit]
    scores = int(step[-1]) + 1 if step.size else 0
    return Steps(found, called[:, last_contour] - found, lesions, images, numbers, scores)


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
    precision = np.divide(at.found, positives, out=np.zeros(positives.shape), where=positives > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    products = np.diff(at.found, axis=1, prepend=0) * envelope
    return _share(_sums(products, at), at.lesions)


def _sums(products: Values, at: Steps) -> Values:
    """The sum of each row; the steps without a lesion add 0.

    Several rows are added step by step. NumPy adds a single row in pairs, over all steps: estimates of
    earlier versions keep their last bit.
    """
    if len(products) == 1:
        all_steps = np.zeros((1, at.scores))
        all_steps[:, at.number] = products
        total: Values = all_steps.sum(axis=1, keepdims=True)
        return total
    return _last(np.cumsum(products, axis=1))


def _cumulated(counts: Counts) -> Counts:
    total: Counts = np.cumsum(counts, axis=1, dtype=np.int32)
    return total


def _last(cumulative: Counts | Values) -> Values:
    if not cumulative.shape[1]:
        return np.zeros((len(cumulative), 1))
    return cumulative[:, -1:].astype(np.float64)


def _share(part: Counts | Values, whole: Values) -> Values:
    with np.errstate(invalid="ignore"):  # 0/0: a replicate without lesions
        share: Values = part / whole
    return share

"""Classification: AUROC, AUPRC and Brier score, and measures at the operating point."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts, counted
from pipeline.records import Summary, Values
from pipeline.records.names import CLASSIFIER, LABELS_READER
from pipeline.statistics.auroc import separated_interval
from pipeline.statistics.bootstrap import Replicated, Resampling, Units, replicated, row_weights
from pipeline.statistics.intervals import UNDEFINED, Interval, intervals
from pipeline.statistics.measures import Measure
from pipeline.statistics.predicted import Predicted
from pipeline.statistics.proportions import interval_of_proportion, interval_of_share

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "auroc": Measure("AUROC"),
        "auprc": Measure("AUPRC"),
        "sensitivity": Measure("Sensitivity at the operating point"),
        "specificity": Measure("Specificity at the operating point"),
        "ppv": Measure("Positive predictive value at the operating point"),
        "npv": Measure("Negative predictive value at the operating point"),
        "brier": Measure("Brier score", better="lower"),
    }
)


def classification_summaries(
    predictions: Iterable[tuple[str, Sequence[Predicted]]],
    *,
    findings: Sequence[str],
    resampling: Resampling,
) -> list[Summary]:
    """One row per finding and measure, in the order of `findings`: reader "labels", method "classifier".

    `predictions` are those of each finding that has some.
    """
    by_finding: dict[str, list[Summary]] = {finding: [] for finding in findings}
    for finding, rows in predictions:
        by_finding[finding] = _finding_summaries(finding, rows, resampling)
    return [
        row
        for finding, rows in by_finding.items()
        for row in rows or _finding_summaries(finding, (), resampling)
    ]


def auroc(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The chance that a positive has a higher probability than a negative; ties count half.

    NaN if one class is missing.
    """
    return float(auroc_of_counts(*_counted(probability, label, weights))[0])


def auprc(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The average precision, which at chance level equals the share of positives. NaN without positives."""
    return float(average_precision_of_counts(*_counted(probability, label, weights))[0])


def replicated_auroc(
    probability: ArrayLike, label: ArrayLike, patients: Units, resampling: Resampling
) -> Replicated:
    """The AUROC with its replicates over patients, to compare with that of another model."""
    areas = replicated_areas(probability, label, patients, resampling)
    return areas.transformed(lambda both: both[:, :1])


def replicated_auprc(
    probability: ArrayLike, label: ArrayLike, patients: Units, resampling: Resampling
) -> Replicated:
    """The average precision with its replicates over patients."""
    areas = replicated_areas(probability, label, patients, resampling)
    return areas.transformed(lambda both: both[:, 1:])


def replicated_areas(
    probability: ArrayLike, label: ArrayLike, patients: Units, resampling: Resampling
) -> Replicated:
    """AUROC and average precision, in two columns, with their replicates over patients."""
    score, truth = np.asarray(probability, np.float64), np.asarray(label, np.bool_)
    units, unit = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(score, kind="stable")
    score, truth, unit = score[order], truth[order], unit[order]
    areas_of = _areas_with_ties if (np.diff(score) == 0).any() else _areas_of_distinct

    def statistic(weights: Values) -> Values:
        return np.concatenate([areas_of(score, truth, part) for part in row_weights([weights], unit)])

    return replicated(statistic, len(units), resampling)


def _areas_with_ties(score: Values, truth: NDArray[np.bool_], weights: Values) -> Values:
    counts = counted(score, truth, weights)
    return np.stack([auroc_of_counts(*counts), average_precision_of_counts(*counts)], axis=1)


def _areas_of_distinct(_score: Values, truth: NDArray[np.bool_], weights: Values) -> Values:
    """The same of ascending scores without ties, from what is at the positives alone.

    Counts and their products are whole numbers, which add up without rounding in any order. The sum of
    precisions does not, so that it is over all scores, as `average_precision_of_counts` adds up.
    """
    at = np.flatnonzero(truth)
    positive, up_to = weights[:, at], np.cumsum(weights, axis=1)[:, at]
    positives, everything = positive.sum(axis=1), weights.sum(axis=1)
    positives_up_to = np.cumsum(positive, axis=1)
    above = everything[:, None] - up_to + positive
    found = positives[:, None] - positives_up_to + positive
    precision = np.divide(found, above, out=np.zeros_like(found), where=above > 0)
    steps = np.zeros(weights.shape)
    steps[:, at] = positive * precision
    with np.errstate(invalid="ignore"):  # 0/0: a row with one class becomes NaN
        auroc = (positive * (up_to - positives_up_to)).sum(axis=1) / (positives * (everything - positives))
        return np.stack([auroc, steps.sum(axis=1) / positives], axis=1)


def _counted(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None) -> tuple[Values, Values]:
    score = np.asarray(probability, np.float64)
    weight = np.ones(len(score)) if weights is None else np.asarray(weights, np.float64)
    return counted(score, np.asarray(label, np.bool_), weight[None])


def _finding_summaries(finding: str, rows: Sequence[Predicted], resampling: Resampling) -> list[Summary]:
    known = [row for row in rows if row.label is not None]
    present, absent = ([row for row in known if row.label is value] for value in (True, False))
    positive, negative = ([row for row in known if row.positive is value] for value in (True, False))
    unknown = {"not_labelled": len(rows) - len(known)}
    ranked = known if present and absent else []
    single = unknown | {"single_class": len(known) - len(ranked)}
    auroc_of_ranked, auprc_of_ranked = _rankings(ranked, resampling) if ranked else (UNDEFINED, UNDEFINED)
    share = partial(_accuracy, resampling=resampling)
    columns: list[tuple[str, Sequence[Predicted], Mapping[str, int], Callable[..., Interval]]] = [
        ("auroc", ranked, single, lambda _: auroc_of_ranked),
        ("auprc", ranked, single, lambda _: auprc_of_ranked),
        ("sensitivity", present, unknown | {"healthy": len(absent)}, share),
        ("specificity", absent, unknown | {"finding_present": len(present)}, share),
        ("ppv", positive, unknown | {"predicted_negative": len(negative)}, share),
        ("npv", negative, unknown | {"predicted_positive": len(positive)}, share),
        ("brier", known, unknown, partial(_brier, resampling=resampling)),
    ]
    return [_summary(finding, *column) for column in columns]


def _rankings(rows: Sequence[Predicted], resampling: Resampling) -> tuple[Interval, Interval]:
    """AUROC and average precision of rows of both classes."""
    probability = [row.probability for row in rows]
    label, patients = [row.label is True for row in rows], [row.patient for row in rows]
    areas = replicated_areas(probability, label, patients, resampling)
    area, precision = intervals(areas, resampling)
    if area.estimate is None or 0 < area.estimate < 1:
        return area, precision
    present, absent = ([row.patient for row in rows if row.label is value] for value in (True, False))
    return separated_interval(area.estimate, present, absent, resampling.confidence), precision


def _accuracy(rows: Sequence[Predicted], *, resampling: Resampling) -> Interval:
    """The share of `rows` that the network classifies correctly, with its interval."""
    correct = [float(row.positive == row.label) for row in rows]
    return interval_of_proportion(correct, [row.patient for row in rows], resampling)


def _brier(rows: Sequence[Predicted], *, resampling: Resampling) -> Interval:
    """The mean squared difference of probability and label (Brier 1950), with its interval."""
    squares = [(row.probability - float(row.label is True)) ** 2 for row in rows]
    return interval_of_share(squares, [row.patient for row in rows], resampling)


def _summary(
    finding: str,
    measure: str,
    rows: Sequence[Predicted],
    undefined: Mapping[str, int],
    interval_of: Callable[[Sequence[Predicted]], Interval],
) -> Summary:
    interval = interval_of(rows) if rows else UNDEFINED
    return Summary(
        finding=finding,
        reader=LABELS_READER,
        method=CLASSIFIER,
        metric=measure,
        n=len(rows),
        undefined={reason: count for reason, count in undefined.items() if count},
        patients=len({row.patient for row in rows}),
        **interval._asdict(),
    )

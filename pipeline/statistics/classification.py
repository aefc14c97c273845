"""Classification: AUROC, AUPRC and Brier score, and measures at the operating point."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts, counted
from pipeline.records import Summary, Values
from pipeline.records.names import CLASSIFIER, LABELS_READER
from pipeline.statistics.auroc import separated_interval
from pipeline.statistics.bootstrap import Replicated, Resampling, replicated, row_weights
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
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Replicated:
    """The AUROC with its replicates over patients, to compare with that of another model."""
    return _replicated(auroc_of_counts, probability, label, patients, resampling)


def replicated_auprc(
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Replicated:
    """The average precision with its replicates over patients."""
    return _replicated(average_precision_of_counts, probability, label, patients, resampling)


def _counted(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None) -> tuple[Values, Values]:
    score = np.asarray(probability, np.float64)
    weight = np.ones(len(score)) if weights is None else np.asarray(weights, np.float64)
    return counted(score, np.asarray(label, np.bool_), weight[None])


def _replicated(
    measure_of_counts: Callable[[Values, Values], Values],
    probability: ArrayLike,
    label: ArrayLike,
    patients: Sequence[str],
    resampling: Resampling,
) -> Replicated:
    score, truth = np.asarray(probability, np.float64), np.asarray(label, np.bool_)
    units, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)

    def statistic(weights: Values) -> Values:
        parts = [measure_of_counts(*counted(score, truth, part)) for part in row_weights([weights], unit)]
        return np.concatenate(parts)[:, None]

    return replicated(statistic, len(units), resampling)


def _finding_summaries(finding: str, rows: Sequence[Predicted], resampling: Resampling) -> list[Summary]:
    known = [row for row in rows if row.label is not None]
    present, absent = ([row for row in known if row.label is value] for value in (True, False))
    positive, negative = ([row for row in known if row.positive is value] for value in (True, False))
    unknown = {"not_labelled": len(rows) - len(known)}
    ranked = known if present and absent else []
    single = unknown | {"single_class": len(known) - len(ranked)}
    ranking, share = partial(_ranking, resampling=resampling), partial(_accuracy, resampling=resampling)
    columns: list[tuple[str, Sequence[Predicted], Mapping[str, int], Callable[..., Interval]]] = [
        ("auroc", ranked, single, partial(ranking, replicated_auroc)),
        ("auprc", ranked, single, partial(ranking, replicated_auprc)),
        ("sensitivity", present, unknown | {"healthy": len(absent)}, share),
        ("specificity", absent, unknown | {"finding_present": len(present)}, share),
        ("ppv", positive, unknown | {"predicted_negative": len(negative)}, share),
        ("npv", negative, unknown | {"predicted_positive": len(positive)}, share),
        ("brier", known, unknown, partial(_brier, resampling=resampling)),
    ]
    return [_summary(finding, *column) for column in columns]


def _ranking(
    measure: Callable[..., Replicated], rows: Sequence[Predicted], *, resampling: Resampling
) -> Interval:
    probability = [row.probability for row in rows]
    label, patients = [row.label is True for row in rows], [row.patient for row in rows]
    found = intervals(measure(probability, label, patients, resampling), resampling)[0]
    if measure is not replicated_auroc or found.estimate is None or 0 < found.estimate < 1:
        return found
    present, absent = ([row.patient for row in rows if row.label is value] for value in (True, False))
    return separated_interval(found.estimate, present, absent, resampling.confidence)


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

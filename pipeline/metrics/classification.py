"""Classification: how well probabilities tell images apart, at every threshold and at the operating point."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pipeline.metrics.bootstrap import Replicated, Resampling, Values, of_rows, replicated
from pipeline.metrics.intervals import UNDEFINED, Interval, interval_of_mean, intervals
from pipeline.metrics.measures import Measure
from pipeline.metrics.proportions import interval_of_proportion
from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts, counted
from pipeline.names import CLASSIFIER
from pipeline.records import Summary

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


class Predicted(NamedTuple):
    """What the network said of one finding on one image, and what is true."""

    finding: str
    patient: str
    probability: float
    positive: bool
    """Whether the probability reaches the operating point."""
    label: bool | None
    """Whether the finding is there; None where unknown."""


def classification_summaries(
    predictions: Iterable[tuple[str, str, float, bool, bool | None]],
    *,
    findings: Sequence[str],
    resampling: Resampling,
) -> list[Summary]:
    """A row a finding and measure, in the order of `findings`: reader "labels", method "classifier".

    `predictions` are rows as in `Predicted`; their order does not matter.
    """
    of_finding: dict[str, list[Predicted]] = {finding: [] for finding in findings}
    for row in map(Predicted._make, predictions):
        of_finding.setdefault(row.finding, []).append(row)
    return [row for finding, rows in of_finding.items() for row in _of_finding(finding, rows, resampling)]


def auroc(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The chance that a positive gets the higher probability than a negative, ties counted half.

    NaN where one class has no weight.
    """
    return float(auroc_of_counts(*_counted(probability, label, weights))[0])


def auprc(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The average precision; by chance it is the share of positives. NaN without positives."""
    return float(average_precision_of_counts(*_counted(probability, label, weights))[0])


def interval_of_auroc(
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Interval:
    """The AUROC with its interval over patients; draws of one class are left out."""
    return intervals(replicated_auroc(probability, label, patients, resampling), resampling)[0]


def replicated_auroc(
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Replicated:
    """The AUROC of the patients and of draws of them, to be compared with that of another model."""
    return _replicated(auroc_of_counts, probability, label, patients, resampling)


def replicated_auprc(
    probability: ArrayLike, label: ArrayLike, patients: Sequence[str], resampling: Resampling
) -> Replicated:
    """The average precision of the patients and of draws of them."""
    return _replicated(average_precision_of_counts, probability, label, patients, resampling)


def _counted(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None) -> tuple[Values, Values]:
    score = np.asarray(probability, np.float64)
    weight = np.ones(len(score)) if weights is None else np.asarray(weights, np.float64)
    return counted(score, np.asarray(label, np.bool_), weight[None])


def _replicated(
    of_counts: Callable[[Values, Values], Values],
    probability: ArrayLike,
    label: ArrayLike,
    patients: Sequence[str],
    resampling: Resampling,
) -> Replicated:
    score, truth = np.asarray(probability, np.float64), np.asarray(label, np.bool_)
    units, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)

    def statistic(weights: Values) -> Values:
        parts = [of_counts(*counted(score, truth, part)) for part in of_rows([weights], unit)]
        return np.concatenate(parts)[:, None]

    return replicated(statistic, len(units), resampling)


def _of_finding(finding: str, rows: Sequence[Predicted], resampling: Resampling) -> list[Summary]:
    known = [row for row in rows if row.label is not None]
    present, absent = ([row for row in known if row.label is there] for there in (True, False))
    called, cleared = ([row for row in known if row.positive is called] for called in (True, False))
    unknown = {"not_labelled": len(rows) - len(known)}
    ranked = known if present and absent else []
    single = unknown | {"single_class": len(known) - len(ranked)}
    ranking, share = partial(_ranking, resampling=resampling), partial(_share, resampling=resampling)
    columns: list[tuple[str, Sequence[Predicted], Mapping[str, int], Callable[..., Interval]]] = [
        ("auroc", ranked, single, partial(ranking, replicated_auroc)),
        ("auprc", ranked, single, partial(ranking, replicated_auprc)),
        ("sensitivity", present, unknown | {"healthy": len(absent)}, share),
        ("specificity", absent, unknown | {"finding_present": len(present)}, share),
        ("ppv", called, unknown | {"predicted_negative": len(cleared)}, share),
        ("npv", cleared, unknown | {"predicted_positive": len(called)}, share),
        ("brier", known, unknown, partial(_brier, resampling=resampling)),
    ]
    return [_summary(finding, *column) for column in columns]


def _ranking(of: Callable[..., Replicated], rows: Sequence[Predicted], *, resampling: Resampling) -> Interval:
    probability = [row.probability for row in rows]
    label, patients = [row.label is True for row in rows], [row.patient for row in rows]
    return intervals(of(probability, label, patients, resampling), resampling)[0]


def _share(rows: Sequence[Predicted], *, resampling: Resampling) -> Interval:
    """Of the share of `rows` that the network calls by their class."""
    right = [float(row.positive == row.label) for row in rows]
    return interval_of_proportion(right, [row.patient for row in rows], resampling)


def _brier(rows: Sequence[Predicted], *, resampling: Resampling) -> Interval:
    """The mean squared distance of the probability from what came true (Brier 1950)."""
    squares = [(row.probability - float(row.label is True)) ** 2 for row in rows]
    return interval_of_mean(squares, [row.patient for row in rows], resampling)


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
        reader="labels",
        method=CLASSIFIER,
        metric=measure,
        n=len(rows),
        undefined={reason: count for reason, count in undefined.items() if count},
        patients=len({row.patient for row in rows}),
        **interval._asdict(),
    )

"""Classification: AUROC, and sensitivity and specificity at the operating point, with their intervals."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.metrics.bootstrap import BLOCK, Interval, Values, interval_of_mean, resamples, with_percentiles
from pipeline.records import Summary


@dataclass(frozen=True, slots=True)
class Measure:
    """How a table shows a measure of the classifier."""

    title: str
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "auroc": Measure("AUROC"),
        "sensitivity": Measure("Sensitivity at the operating point"),
        "specificity": Measure("Specificity at the operating point"),
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
    replicates: int,
    confidence: float,
    seed: int,
) -> list[Summary]:
    """Three rows a finding, in the order of `findings`: reader "labels", method "classifier".

    `predictions` are rows as in `Predicted`; their order does not matter.
    """
    of_finding: dict[str, list[Predicted]] = {finding: [] for finding in findings}
    for row in map(Predicted._make, predictions):
        of_finding.setdefault(row.finding, []).append(row)
    auroc_of = partial(_auroc_of, replicates=replicates, confidence=confidence, seed=seed)
    share_of = partial(_share_of, replicates=replicates, confidence=confidence, seed=seed)
    summaries = []
    for finding, rows in of_finding.items():
        known = [row for row in rows if row.label is not None]
        present = [row for row in known if row.label]
        absent = [row for row in known if not row.label]
        ranked = known if present and absent else []
        unknown = {"not_labelled": len(rows) - len(known)}
        summaries += [
            _summary(
                finding, "auroc", ranked, unknown | {"single_class": len(known) - len(ranked)}, auroc_of
            ),
            _summary(finding, "sensitivity", present, unknown | {"healthy": len(absent)}, share_of),
            _summary(finding, "specificity", absent, unknown | {"finding_present": len(present)}, share_of),
        ]
    return summaries


def auroc(probability: ArrayLike, label: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The chance that a positive gets the higher probability than a negative, ties counted half.

    NaN where one class has no weight.
    """
    score = np.asarray(probability, np.float64)
    weight = np.ones(len(score)) if weights is None else np.asarray(weights, np.float64)
    return float(_weighted_auroc(score, np.asarray(label, np.bool_), weight[None])[0])


def interval_of_auroc(
    probability: ArrayLike,
    label: ArrayLike,
    patients: Sequence[str],
    *,
    replicates: int,
    confidence: float,
    seed: int,
) -> Interval:
    """The AUROC with its percentile interval over patients; replicates of one class are left out."""
    score, truth = np.asarray(probability, np.float64), np.asarray(label, np.bool_)
    units, unit = np.unique(np.asarray(patients, np.str_), return_inverse=True)
    weights = resamples(len(units), replicates=replicates, seed=seed)
    drawn = np.concatenate([_weighted_auroc(score, truth, part) for part in _blocks(weights, unit)])
    estimate = np.array([auroc(score, truth)])
    return with_percentiles(estimate, drawn[:, None], units=len(units), confidence=confidence)[0]


def _blocks(weights: Iterable[Values], unit: NDArray[np.intp]) -> Iterator[Values]:
    """The weight of each row by that of its unit, (some replicates, rows) at a time."""
    at_once = max(BLOCK // len(unit), 1)
    for of_units in weights:
        for start in range(0, len(of_units), at_once):
            yield of_units[start : start + at_once, unit]


def _weighted_auroc(score: Values, label: NDArray[np.bool_], weights: Values) -> Values:
    """One AUROC a row of `weights` (replicates, rows): negatives below each positive, and half its ties."""
    order = np.argsort(score, kind="stable")
    ordered, label, weights = score[order], label[order], weights[:, order]
    first_of_ties = np.flatnonzero(np.diff(ordered, prepend=-np.inf))
    positive = np.add.reduceat(weights * label, first_of_ties, axis=1)
    negative = np.add.reduceat(weights * ~label, first_of_ties, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0/0 is how a replicate of one class becomes NaN
        auroc_of_row: Values = (positive * below).sum(axis=1) / pairs
    return auroc_of_row


def _auroc_of(rows: Sequence[Predicted], *, replicates: int, confidence: float, seed: int) -> Interval:
    return interval_of_auroc(
        [row.probability for row in rows],
        [row.label is True for row in rows],
        [row.patient for row in rows],
        replicates=replicates,
        confidence=confidence,
        seed=seed,
    )


def _share_of(rows: Sequence[Predicted], *, replicates: int, confidence: float, seed: int) -> Interval:
    """Of the share of `rows`, all of one class, that the network calls by their class."""
    return interval_of_mean(
        [row.positive == row.label for row in rows],
        [row.patient for row in rows],
        replicates=replicates,
        confidence=confidence,
        seed=seed,
    )


def _summary(
    finding: str,
    measure: str,
    rows: Sequence[Predicted],
    undefined: Mapping[str, int],
    interval_of: Callable[[Sequence[Predicted]], Interval],
) -> Summary:
    interval = interval_of(rows) if rows else Interval(None, None, None)
    return Summary(
        finding=finding,
        reader="labels",
        method="classifier",
        metric=measure,
        n=len(rows),
        undefined={reason: count for reason, count in undefined.items() if count},
        patients=len({row.patient for row in rows}),
        **interval._asdict(),
    )

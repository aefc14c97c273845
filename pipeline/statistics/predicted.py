"""Predicted: probabilities, logits and labels of all cases as columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.statistics.columns import Cases, Codes, extend, grouped, numbers_of

UNKNOWN = -1
"""Stands for a label that is not known."""


class Predicted(NamedTuple):
    """Prediction and label of one finding on one image."""

    finding: str
    patient: str
    probability: float
    positive: bool
    """Whether the probability reaches the operating point."""
    label: bool | None
    """Whether the finding is present; None if unknown."""


@dataclass(slots=True)
class Predictions:
    """The predictions of cases, in their order: some 40 bytes each."""

    cases: Cases = field(default_factory=Cases)
    findings: Codes[str] = field(default_factory=Codes)
    _case: array[int] = field(default_factory=lambda: array("I"))
    _finding: array[int] = field(default_factory=lambda: array("H"))
    _probability: array[float] = field(default_factory=lambda: array("d"))
    _logit: array[float] = field(default_factory=lambda: array("d"))
    _threshold: array[float] = field(default_factory=lambda: array("d"))
    _label: array[int] = field(default_factory=lambda: array("b"))

    def add(
        self,
        case_id: str,
        predictions: Iterable[Mapping[str, Any]],
        labels: Mapping[str, int | None],
        unit: str,
    ) -> None:
        """Add the predictions in a case's JSON, with its labels."""
        case = self.cases.position(case_id, unit)
        for prediction in predictions:
            label, logit = labels.get(prediction["finding"]), prediction["logit"]
            self._case.append(case)
            self._finding.append(self.findings(prediction["finding"]))
            self._probability.append(prediction["probability"])
            self._logit.append(np.nan if logit is None else logit)
            self._threshold.append(prediction["threshold"])
            self._label.append(UNKNOWN if label is None else bool(label))

    def extend(self, other: Predictions, units: Mapping[str, str]) -> None:
        """Add the predictions of other cases, with the unit of each case id."""
        first = self.cases.extend(other.cases, units)
        extend(self._case, numbers_of(other._case).astype(np.int64) + first)
        extend(self._finding, self.findings.renumbered(other.findings, other._finding))
        for name in ("_probability", "_logit", "_threshold", "_label"):
            getattr(self, name).extend(getattr(other, name))

    def __len__(self) -> int:
        return len(self._case)

    def rows(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Case id, and the rest of the row of predictions.csv, of each."""
        findings = self.findings.in_order
        columns = (self._case, self._finding, self._logit, self._probability, self._threshold, self._label)
        for case, finding, logit, probability, threshold, label in zip(*columns, strict=True):
            yield (
                self.cases.ids[case],
                {
                    "finding": findings[finding],
                    "logit": None if isnan(logit) else logit,
                    "probability": probability,
                    "threshold": threshold,
                    "predicted": int(probability >= threshold),
                    "label": None if label == UNKNOWN else label,
                },
            )

    def by_finding(self, findings: Iterable[str] = ()) -> Iterator[tuple[str, list[Predicted]]]:
        """Each of these findings, or of all that were predicted, with its predictions."""
        rows_of = dict(self._rows())
        for finding in findings or rows_of:
            rows = rows_of.get(finding, np.array([], np.intp))
            probability = numbers_of(self._probability)[rows]
            positive = probability >= numbers_of(self._threshold)[rows]
            labels = (None if label == UNKNOWN else bool(label) for label in numbers_of(self._label)[rows])
            units = (self.cases.units[case] for case in numbers_of(self._case)[rows])
            columns = (units, probability.tolist(), positive.tolist(), labels)
            yield finding, [Predicted(finding, *row) for row in zip(*columns, strict=True)]

    def probabilities(self) -> dict[str, NDArray[np.float64]]:
        """Finding → probabilities of all images."""
        return {finding: numbers_of(self._probability)[rows] for finding, rows in self._rows()}

    def label_counts(self) -> dict[str, tuple[int, int]]:
        """Finding → number of images that are labelled as with and without it."""
        labels = {finding: numbers_of(self._label)[rows] for finding, rows in self._rows()}
        return {name: (int((of == 1).sum()), int((of == 0).sum())) for name, of in labels.items()}

    def logits(self) -> dict[str, dict[str, float]]:
        """Finding → case id → logit, where it is known."""
        case, logit = numbers_of(self._case), numbers_of(self._logit)
        return {
            finding: {
                self.cases.ids[case[row]]: float(logit[row]) for row in rows if not np.isnan(logit[row])
            }
            for finding, rows in self._rows()
        }

    def labels(self) -> dict[str, dict[str, bool | None]]:
        """Finding → case id → whether the finding is present; None if unknown."""
        return {
            finding: {
                self.cases.ids[case]: None if label == UNKNOWN else bool(label)
                for case, label in zip(
                    numbers_of(self._case)[rows], numbers_of(self._label)[rows], strict=True
                )
            }
            for finding, rows in self._rows()
        }

    def frame(self) -> pd.DataFrame:
        """One row per prediction, as `dataframes.read_predictions` gives them."""
        label = numbers_of(self._label).astype(np.float64)
        label[label == UNKNOWN] = np.nan
        findings, cases = self.findings.in_order, numbers_of(self._case)
        texts = {
            "case_id": [self.cases.ids[case] for case in cases],
            "finding": [findings[number] for number in numbers_of(self._finding)],
            "patient": [self.cases.units[case] for case in cases],
            "threshold": [str(threshold) for threshold in self._threshold],
        }
        return pd.DataFrame({name: pd.Series(column, dtype=str) for name, column in texts.items()}).assign(
            probability=numbers_of(self._probability), logit=numbers_of(self._logit), label=label
        )

    def _rows(self) -> Iterator[tuple[str, NDArray[np.intp]]]:
        rows = grouped(numbers_of(self._finding), len(self.findings))
        yield from zip(self.findings.in_order, rows, strict=True)

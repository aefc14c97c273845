"""Fits: how the maps of all outputs fit the annotations of all findings, as columns of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.records import Fit
from pipeline.statistics.columns import Cases, Codes, extend, numbers_of

Array = NDArray[np.float32]
NAN = float("nan")
CROSSED = ("finding", "method", "output", "case", "annotation")
TURNED = ("finding", "method", "case")


@dataclass(slots=True)
class Fits:
    """The fits of cases, in their order.

    `_crossed`: each annotation with each output, without transform, where it has a rank. `_turned`: each
    annotation with its own output under all transforms, which begin with that without any.
    """

    cases: Cases = field(default_factory=Cases)
    names: Codes[str] = field(default_factory=Codes)
    """Findings, outputs and methods."""
    annotations: int = 0
    """Number of annotations: of a finding in an image by a reader."""
    transforms: int = 0
    _numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(case id, reader, finding) of cases that were added → number of the annotation."""
    _crossed: dict[str, array[int]] = field(default_factory=lambda: _columns(*CROSSED))
    _rank: array[float] = field(default_factory=lambda: array("d"))
    _hit: array[float] = field(default_factory=lambda: array("d"))
    _turned: dict[str, array[int]] = field(default_factory=lambda: _columns(*TURNED))
    _turned_fits: array[float] = field(default_factory=lambda: array("f"))
    """Ranks, then hits, of each; NaN where there is none."""

    def add(self, fits: Iterable[Fit], patient: str) -> None:
        """Add the fits of a case."""
        crossed, turned = self._crossed, self._turned
        for fit in fits:
            case = self.cases.position(fit.case_id, patient)
            finding, method, output = map(self.names, (fit.finding, fit.method, fit.output))
            annotation = self._annotation((fit.case_id, fit.reader, fit.finding))
            rank, hit = fit.ranks[0], fit.hits[0]
            if rank is not None and hit is not None:
                for name, number in zip(CROSSED, (finding, method, output, case, annotation), strict=True):
                    crossed[name].append(number)
                self._rank.append(rank)
                self._hit.append(hit)
            if finding == output:
                for name, number in zip(TURNED, (finding, method, case), strict=True):
                    turned[name].append(number)
                self.transforms = len(fit.ranks)
                self._turned_fits.extend(NAN if value is None else value for value in (*fit.ranks, *fit.hits))

    def extend(self, other: Fits, units: Mapping[str, str]) -> None:
        """Add the fits of other cases, with the unit of each case id."""
        first = self.cases.extend(other.cases, units)
        for mine, others in ((self._crossed, other._crossed), (self._turned, other._turned)):
            for name, column in others.items():
                extend(mine[name], self._renumbered(name, other, column, first))
        self._rank.extend(other._rank)
        self._hit.extend(other._hit)
        self._turned_fits.extend(other._turned_fits)
        self.annotations += other.annotations
        self.transforms = other.transforms or self.transforms

    def cross(self, method: str) -> pd.DataFrame:
        """One row per annotation and output: finding, output, patient, annotation, rank, hit."""
        rows = self._of_method(self._crossed, method)
        names, columns = (
            self.names.in_order,
            {name: numbers_of(of)[rows] for name, of in self._crossed.items()},
        )
        texts = {
            "finding": [names[number] for number in columns["finding"]],
            "output": [names[number] for number in columns["output"]],
            "patient": [self.cases.units[case] for case in columns["case"]],
        }
        return pd.DataFrame({name: pd.Series(column, dtype=str) for name, column in texts.items()}).assign(
            annotation=columns["annotation"].astype(np.int64),
            rank=numbers_of(self._rank)[rows],
            hit=numbers_of(self._hit)[rows],
        )

    def of_transforms(self, method: str) -> tuple[list[str], list[str], Array]:
        """Finding and patient of each annotation, and an array (annotations, 2, transforms): ranks, hits."""
        rows = self._of_method(self._turned, method)
        names = self.names.in_order
        fits: Array = numbers_of(self._turned_fits).reshape(len(self._turned["case"]), 2, self.transforms)
        return (
            [names[number] for number in numbers_of(self._turned["finding"])[rows]],
            [self.cases.units[case] for case in numbers_of(self._turned["case"])[rows]],
            fits[rows],
        )

    def _annotation(self, key: tuple[str, str, str]) -> int:
        if key not in self._numbers:
            self._numbers[key] = self.annotations
            self.annotations += 1
        return self._numbers[key]

    def _renumbered(self, name: str, other: Fits, column: array[int], first: int) -> NDArray[np.int64]:
        if name in {"case", "annotation"}:
            return numbers_of(column).astype(np.int64) + (first if name == "case" else self.annotations)
        return self.names.renumbered(other.names, column)

    def _of_method(self, columns: Mapping[str, array[int]], method: str) -> NDArray[np.intp]:
        names = np.array([name == method for name in self.names.in_order], np.bool_)
        return np.flatnonzero(names[numbers_of(columns["method"])])


def _columns(*names: str) -> dict[str, array[int]]:
    return {name: array("I") for name in names}

"""Fits: how the maps of all outputs fit the annotations of all findings, gathered over cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.records import Fit

Array = NDArray[np.float32]


@dataclass(slots=True)
class Fits:
    """The numbers of all fits, as they are kept in memory."""

    crossed: list[tuple[str, str, str, str, int, float, float]] = field(default_factory=list)
    """(finding, method, output, patient, number of the annotation, rank, hit), without transform."""
    transformed: list[tuple[str, str, str, Array]] = field(default_factory=list)
    """(finding, method, patient, ranks and hits of all transforms); NaN where there is none."""
    _numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def add(self, fits: Iterable[Fit], patient: str) -> None:
        """Add the fits of a case."""
        for fit in fits:
            finding, method, output = intern(fit.finding), intern(fit.method), intern(fit.output)
            number = self._numbers.setdefault((fit.case_id, fit.reader, finding), len(self._numbers))
            rank, hit = fit.ranks[0], fit.hits[0]
            if rank is not None and hit is not None:
                self.crossed.append((finding, method, output, patient, number, rank, hit))
            if finding == output:
                found = np.array([fit.ranks, fit.hits], np.float32)
                self.transformed.append((finding, method, patient, found))

    def merge(self, units: Mapping[str, str]) -> None:
        """Let patients count as others: patient → the one that it counts as."""
        self.crossed = [(*row[:3], units[row[3]], *row[4:]) for row in self.crossed]
        self.transformed = [(a, b, units[patient], found) for a, b, patient, found in self.transformed]

    def cross(self, method: str) -> pd.DataFrame:
        """One row per annotation and output: finding, output, patient, annotation, rank, hit."""
        columns = ["finding", "method", "output", "patient", "annotation", "rank", "hit"]
        frame = pd.DataFrame(self.crossed, columns=columns)
        return frame[frame["method"] == method].drop(columns="method")

    def of_transforms(self, method: str) -> tuple[list[str], list[str], Array]:
        """Finding and patient of each annotation, and an array (annotations, 2, transforms): ranks, hits."""
        rows = [row for row in self.transformed if row[1] == method]
        if not rows:
            return [], [], np.empty((0, 2, 0), np.float32)
        return [row[0] for row in rows], [row[2] for row in rows], np.stack([row[3] for row in rows])

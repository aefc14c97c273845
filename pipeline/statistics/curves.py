"""Curves: mean IoU of a study set over all thresholds."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.metrics.pixels import LEVELS
from pipeline.records import Curve, Values
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.columns import Cases, Codes, extend, grouped, numbers_of
from pipeline.statistics.intervals import intervals_of_means


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean IoU over all images at one threshold."""

    finding: str
    reader: str
    method: str
    level: float
    """Threshold as a share of each map's maximum; pixels at or above it are inside."""
    n: int
    patients: int
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(slots=True)
class Curves:
    """The curves of cases, in their order."""

    cases: Cases = field(default_factory=Cases)
    keys: Codes[tuple[str, str, str]] = field(default_factory=Codes)
    """(finding, reader, method)."""
    _case: array[int] = field(default_factory=lambda: array("I"))
    _key: array[int] = field(default_factory=lambda: array("I"))
    _ious: array[float] = field(default_factory=lambda: array("d"))
    """As many for each curve as there are `LEVELS`."""

    def add(self, curve: Curve, unit: str) -> None:
        """Add a curve."""
        self._case.append(self.cases.position(curve.case_id, unit))
        self._key.append(self.keys((curve.finding, curve.reader, curve.method)))
        self._ious.extend(curve.ious)

    def extend(self, other: Curves, units: Mapping[str, str]) -> None:
        """Add the curves of other cases, with the unit of each case id."""
        first = self.cases.extend(other.cases, units)
        extend(self._case, numbers_of(other._case).astype(np.int64) + first)
        extend(self._key, self.keys.renumbered(other.keys, other._key))
        self._ious.extend(other._ious)

    def by_key(self) -> Iterator[tuple[tuple[str, str, str], list[str], Values]]:
        """Key, units, and (curves, levels) of the IoU."""
        ious = numbers_of(self._ious).reshape(-1, len(LEVELS))
        rows = grouped(numbers_of(self._key), len(self.keys))
        for key, chosen in zip(self.keys.in_order, rows, strict=True):
            units = [self.cases.units[case] for case in numbers_of(self._case)[chosen]]
            yield key, units, ious[chosen]


def summarise_curves(curves: Curves, *, findings: Sequence[str], resampling: Resampling) -> list[CurvePoint]:
    """One row per finding, reader, method and level.

    The highest of these means is what one tuned threshold for all images can reach.
    """
    by_key = {key: (units, ious) for key, units, ious in curves.by_key()}
    rank = {finding: number for number, finding in enumerate(findings)}
    points = []
    for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key)):
        patients, ious = by_key[key]
        columns = [(level, patients) for level in ious.T]
        for level, interval in zip(LEVELS, intervals_of_means(columns, resampling), strict=True):
            points.append(CurvePoint(*key, level, len(patients), len(set(patients)), *interval))
    return points

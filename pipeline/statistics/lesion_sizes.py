"""Lesion sizes: the share of lesions that contours find, among small, medium and large lesions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from pipeline.records import Kind, Values
from pipeline.records.names import AreaUnit, Third
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import UNDEFINED
from pipeline.statistics.lesion_summaries import scored_alike
from pipeline.statistics.matched import Lesions, Matched, Rows
from pipeline.statistics.proportions import interval_of_proportion

THIRDS: tuple[Third, ...] = get_args(Third)
FEWEST_PATIENTS = 5
"""Patients below which a third has no estimate: exact intervals then span more than half of 0 … 1."""


@dataclass(frozen=True, slots=True)
class LesionSize:
    """A row of lesion_sizes.csv: one third of the lesions of a finding, by area."""

    finding: str
    reader: str
    method: str
    kind: Kind
    third: Third
    unit: AreaUnit
    """mm2 if the pixel spacing of every image with a lesion is known, else image_share for all of them."""
    smallest: float | None
    largest: float | None
    n: int
    """Number of lesions."""
    patients: int
    too_few: bool
    """Fewer patients than `FEWEST_PATIENTS`, so no estimate."""
    estimate: float | None
    """Share of the lesions that a contour matches."""
    low: float | None
    high: float | None


def lesion_sizes(matched: Matched, *, findings: Sequence[str], resampling: Resampling) -> list[LesionSize]:
    """Three rows per finding, reader, kind and method; lesions match by the run's rule.

    The thirds are those of all lesions that the reader marked, so all methods have the same. Lesions of equal
    area are in the same third. Points have no area and no rows. The order of rows does not matter.
    """
    by_key: dict[tuple[str, str, Kind], dict[str, Rows]] = {}
    for (finding, reader, method, kind), rows in scored_alike(matched).items():
        lesions = matched.lesions(rows)
        chosen = rows[np.unique(lesions.row[~np.isnan(lesions.share)])]
        if chosen.size:
            by_key.setdefault((finding, reader, kind), {})[method] = chosen
    rank = {finding: number for number, finding in enumerate(findings)}
    return [
        row
        for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key))
        for row in _thirds(key, matched, by_key[key], resampling)
    ]


def _thirds(
    key: tuple[str, str, Kind], matched: Matched, by_method: Mapping[str, Rows], resampling: Resampling
) -> Iterator[LesionSize]:
    finding, reader, kind = key
    rows = np.concatenate(list(by_method.values()))
    in_mm2 = not np.isnan(matched.lesions(rows).area_mm2).any()
    unit: AreaUnit = "mm2" if in_mm2 else "image_share"
    once = rows[np.unique(matched.ids_of(rows), return_index=True)[1]]
    edges = _edges(_areas(matched.lesions(once), unit))
    for method in sorted(by_method):
        lesions, units = matched.lesions(by_method[method]), matched.units_of(by_method[method])
        areas = _areas(lesions, unit)
        found = (lesions.found & 1).astype(np.float64)
        third_of = (areas[:, None] > np.array(edges)).sum(axis=1)
        for number, third in enumerate(THIRDS):
            chosen = np.flatnonzero(third_of == number)
            patients = [units[row] for row in lesions.row[chosen]]
            few = len(set(patients)) < FEWEST_PATIENTS
            interval = UNDEFINED if few else interval_of_proportion(found[chosen], patients, resampling)
            yield LesionSize(
                finding,
                reader,
                method,
                kind,
                third,
                unit,
                smallest=min(areas[chosen].tolist(), default=None),
                largest=max(areas[chosen].tolist(), default=None),
                n=len(chosen),
                patients=len(set(patients)),
                too_few=few,
                **interval._asdict(),
            )


def _areas(lesions: Lesions, unit: AreaUnit) -> Values:
    return lesions.area_mm2 if unit == "mm2" else lesions.share


def _edges(areas: Values) -> tuple[float, float]:
    """The largest area of the first and of the second third."""
    ordered, size = np.sort(areas), len(areas)
    return float(ordered[-(-size // 3) - 1]), float(ordered[-(-2 * size // 3) - 1])

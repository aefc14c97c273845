"""Lesion sizes: the share of lesions that contours find, among small, medium and large lesions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, get_args

from pipeline.metrics.lesions import Rule, unmatched_lesions
from pipeline.records import Candidates, Kind, scored_as
from pipeline.records.names import AreaUnit, Third
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import UNDEFINED
from pipeline.statistics.proportions import interval_of_proportion

THIRDS: tuple[Third, ...] = get_args(Third)
FEWEST_PATIENTS = 5
"""Patients below which a third has no estimate: exact intervals then span more than half of 0 … 1."""

_Cases: TypeAlias = Sequence[tuple[Candidates, str]]
_Areas: TypeAlias = Mapping[str, tuple[float, ...]]
"""Case id → area of each lesion."""


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


def lesion_sizes(
    cases: Iterable[tuple[Candidates, str]],
    *,
    findings: Sequence[str],
    rule: Rule,
    resampling: Resampling,
) -> list[LesionSize]:
    """Three rows per finding, reader, kind and method, from (candidates, patient) of each case.

    The thirds are those of all lesions that the reader marked, so all methods have the same. Lesions of equal
    area are in the same third. Points have no area and no rows. The order of `cases` does not matter.
    """
    by_key: dict[tuple[str, str, Kind], dict[str, list[tuple[Candidates, str]]]] = {}
    for case, patient in cases:
        if case.lesions and case.shares:
            of = by_key.setdefault((case.finding, case.reader, scored_as(case.kind)), {})
            of.setdefault(case.method, []).append((case, patient))
    rank = {finding: number for number, finding in enumerate(findings)}
    return [
        row
        for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key))
        for row in _rows(key, by_key[key], rule, resampling)
    ]


def _rows(
    key: tuple[str, str, Kind], by_method: Mapping[str, _Cases], rule: Rule, resampling: Resampling
) -> Iterator[LesionSize]:
    finding, reader, kind = key
    unit, areas = _areas(case for cases in by_method.values() for case, _ in cases)
    edges = _edges([area for of_case in areas.values() for area in of_case])
    for method in sorted(by_method):
        lesions = list(_lesions(by_method[method], areas, rule))
        for number, third in enumerate(THIRDS):
            chosen = [row for row in lesions if sum(row[0] > edge for edge in edges) == number]
            sizes, found, patients = zip(*chosen, strict=True) if chosen else ((), (), ())
            few = len(set(patients)) < FEWEST_PATIENTS
            interval = UNDEFINED if few else interval_of_proportion(found, patients, resampling)
            yield LesionSize(
                finding,
                reader,
                method,
                kind,
                third,
                unit,
                smallest=min(sizes, default=None),
                largest=max(sizes, default=None),
                n=len(chosen),
                patients=len(set(patients)),
                too_few=few,
                **interval._asdict(),
            )


def _areas(cases: Iterable[Candidates]) -> tuple[AreaUnit, _Areas]:
    """The unit that all cases have, and the lesions' areas in it."""
    known = {case.case_id: case for case in cases}
    if all(case.areas_mm2 for case in known.values()):
        return "mm2", {case_id: case.areas_mm2 for case_id, case in known.items()}
    return "image_share", {case_id: case.shares for case_id, case in known.items()}


def _edges(areas: Sequence[float]) -> tuple[float, float]:
    """The largest area of the first and of the second third."""
    ordered, size = sorted(areas), len(areas)
    return ordered[-(-size // 3) - 1], ordered[-(-2 * size // 3) - 1]


def _lesions(cases: _Cases, areas: _Areas, rule: Rule) -> Iterator[tuple[float, float, str]]:
    """(area, 1 if found, patient) of each lesion."""
    for case, patient in cases:
        missed = set(unmatched_lesions(case, rule))
        for number, area in enumerate(areas[case.case_id], start=1):
            yield area, float(number not in missed), patient

"""Map tests: the numbers of tests of attribution methods, over images and patients."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.contracts import Measure
from pipeline.records import MapTestValue
from pipeline.records.map_tests import OF_THE_NETWORK
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import difference_of_means
from pipeline.statistics.intervals import Interval, interval_of_mean
from pipeline.statistics.proportions import interval_of_share

Values: TypeAlias = Mapping[tuple[str, str], MapTestValue]
"""(case id, finding) → the value of one test, method, measure and variant."""


@dataclass(frozen=True, slots=True)
class MapTestRow:
    """A row of map_tests.csv: the mean of one measure, or the difference of two variants of it."""

    finding: str
    """A finding, or `ALL_FINDINGS`: every judged map of every finding."""
    test: str
    method: str
    measure: str
    variant: str
    """Which version of the map; `OF_THE_NETWORK`: the map of the network as it is."""
    compared_with: str
    """Variant that is subtracted, image by image; empty: nothing, the row is a mean."""
    n: int
    """Maps with a value."""
    undefined: int
    reasons: str
    """Why values are undefined, as in summary.csv: "flat_map=3"."""
    patients: int
    estimate: float | None
    low: float | None
    high: float | None
    better: Literal["higher", "lower"]


def map_test_rows(
    values: Sequence[MapTestValue],
    units: Mapping[str, str],
    *,
    findings: Sequence[str],
    measures: Mapping[str, Mapping[str, Measure]],
    resampling: Resampling,
) -> list[MapTestRow]:
    """Means of every test, method, measure and variant, and what the map has more than its other variants.

    `units` says of each case what is resampled: the patient, or the image. `measures` are those of each test;
    values of others are left out.
    """
    groups: dict[tuple[str, str, str], dict[str, dict[tuple[str, str], MapTestValue]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for value in values:
        if value.measure in measures.get(value.test, {}):
            of_measure = groups[value.test, value.method, value.measure]
            of_measure[value.variant][value.case_id, value.finding] = value
    rows: list[MapTestRow] = []
    for (test, method, measure), variants in groups.items():
        what = measures[test][measure]
        for finding in (*findings, ALL_FINDINGS):
            chosen = {name: _of_finding(finding, of_variant) for name, of_variant in variants.items()}
            rows += [
                MapTestRow(finding, test, method, measure, *row, better=what.better)
                for row in _rows(chosen, units, what, resampling)
            ]
    return rows


def _of_finding(finding: str, values: Values) -> dict[tuple[str, str], MapTestValue]:
    if finding == ALL_FINDINGS:
        return dict(values)
    return {key: value for key, value in values.items() if value.finding == finding}


_Row: TypeAlias = tuple[str, str, int, int, str, int, float | None, float | None, float | None]
"""A `MapTestRow` from `variant` to `high`."""


def _rows(
    variants: Mapping[str, Values], units: Mapping[str, str], measure: Measure, resampling: Resampling
) -> Iterator[_Row]:
    """The mean of each variant, and the difference of the map to each other variant of the measure."""
    for name, values in variants.items():
        if not values:
            continue
        known = {key: one.value for key, one in values.items() if one.value is not None}
        reasons = Counter(one.undefined_because for one in values.values() if one.value is None)
        patients = [units[case_id] for case_id, _ in known]
        interval = (interval_of_share if measure.is_share else interval_of_mean)(
            list(known.values()), patients, resampling
        )
        yield _row(name, "", patients, interval, reasons)
    own = variants.get(OF_THE_NETWORK, {})
    for name, values in variants.items():
        if not own or not values or name == OF_THE_NETWORK:
            continue
        pairs = [(key, own[key].value, one.value) for key, one in values.items() if key in own]
        both = [(key, a, b) for key, a, b in pairs if a is not None and b is not None]
        patients = [units[case_id] for (case_id, _), *_ in both]
        found = difference_of_means([a for _, a, _ in both], [b for *_, b in both], patients, resampling)
        reasons = Counter({"not_paired": len(pairs) - len(both)})
        yield _row(OF_THE_NETWORK, name, patients, Interval(*found[:3]), +reasons)


def _row(
    variant: str, compared_with: str, patients: Sequence[str], interval: Interval, reasons: Mapping[str, int]
) -> _Row:
    words = "; ".join(f"{reason}={count}" for reason, count in sorted(reasons.items()))
    count, undefined = len(patients), sum(reasons.values())
    return variant, compared_with, count, undefined, words, len(set(patients)), *interval

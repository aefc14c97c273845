"""Readouts: the stored features of a run → rows of readouts.csv, and what they speak for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.records import Features, Suspicion
from pipeline.run.gathered import Gathered
from pipeline.run.grouping import Grouping
from pipeline.statistics.dataframes import read_cases
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.readout_suspicions import readout_suspicions
from pipeline.statistics.readouts import ReadoutRow, attribute_rows, by_median, finding_rows
from pipeline.store.readings import read_reading

READ = ("view", "sex", "age", "manufacturer")
"""Columns of cases.csv that are read from the features, besides the columns of the config's table."""


def readouts_of(
    run: Path,
    gathered: Gathered,
    options: StatisticsOptions,
    grouping: Grouping,
    *,
    with_attributes: bool,
) -> tuple[list[ReadoutRow], list[Suspicion]]:
    """Rows of readouts.csv and suspicions; none in a run whose network was not read."""
    reading = read_reading(run)
    if reading is None:
        return [], []
    features = _audited(reading.features, gathered)
    confidence, outputs = options.resampling.confidence, gathered.outputs
    rows = finding_rows(features, outputs, options.findings, confidence)
    if not with_attributes:
        return rows, []
    attributes = attributes_of(run, gathered.audited, grouping.columns)
    rows += attribute_rows(features, attributes, outputs.units, confidence)
    return rows, list(readout_suspicions(rows, attributes, outputs, options.findings, confidence))


def attributes_of(
    run: Path, audited: Sequence[str], columns: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Attribute → case id → value: view, sex, age, maker, and the columns of the config's table."""
    cases = read_cases(run)
    found = {name: dict(zip(cases.index, cases[name], strict=True)) for name in READ}
    found["age"] = by_median(found["age"])
    return found | {name: {i: values.get(i, "") for i in audited} for name, values in columns.items()}


def _audited(features: Features, gathered: Gathered) -> Features:
    """The features of audited images: a resumed run may have skipped some that were read before."""
    known = [case_id in gathered.outputs.units for case_id in features.case_ids]
    ids = tuple(i for i, is_known in zip(features.case_ids, known, strict=True) if is_known)
    return Features(ids, features.values[known])

"""Readouts: the stored features of a run → readouts.csv, attribute_maps.csv, and what they speak for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.records import Features, Suspicion
from pipeline.run.gathered import Gathered
from pipeline.run.grouping import Grouping
from pipeline.statistics.attribute_maps import attribute_map_rows
from pipeline.statistics.dataframes import read_cases
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.readout_suspicions import readout_suspicions
from pipeline.statistics.readouts import (
    AttributeLabel,
    ReadoutRow,
    attribute_rows,
    by_median,
    finding_rows,
    labels_of_attribute,
    nonsense_label,
)
from pipeline.store.readings import read_reading
from pipeline.store.tables import write_table

READ = ("view", "sex", "age", "manufacturer")
"""Columns of cases.csv that are read from the features, besides the columns of the config's table."""


def write_readouts(
    run: Path,
    gathered: Gathered,
    options: StatisticsOptions,
    grouping: Grouping,
    *,
    with_attributes: bool,
) -> tuple[list[ReadoutRow], list[Suspicion]]:
    """Write both tables, empty if the network was not read; returns rows of readouts.csv and suspicions."""
    reading = read_reading(run)
    features = None if reading is None else _audited(reading.features, gathered)
    if features is None:
        write_table(run, "readouts.csv", ())
        write_table(run, "attribute_maps.csv", ())
        return [], []
    confidence, outputs = options.resampling.confidence, gathered.outputs
    rows = finding_rows(features, outputs, options.findings, confidence)
    if not with_attributes:
        write_table(run, "readouts.csv", map(asdict, rows))
        write_table(run, "attribute_maps.csv", ())
        return rows, []
    attributes = attributes_of(run, gathered.audited, grouping.columns)
    rows += attribute_rows(features, attributes, outputs.units, confidence)
    write_table(run, "readouts.csv", map(asdict, rows))
    labels = _labels(features, attributes, outputs.units)
    maps = attribute_map_rows(features, labels, outputs, options.findings, options.resampling)
    write_table(run, "attribute_maps.csv", map(asdict, maps))
    return rows, list(readout_suspicions(rows, attributes, outputs, options.findings, confidence))


def _labels(
    features: Features, attributes: Mapping[str, Mapping[str, str]], units: Mapping[str, str]
) -> Iterator[AttributeLabel]:
    for name, values in attributes.items():
        yield from labels_of_attribute(name, values, features.case_ids, units)
    yield nonsense_label(features.case_ids, units)


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
    known = [case_id in gathered.units_of_cases for case_id in features.case_ids]
    ids = tuple(i for i, is_known in zip(features.case_ids, known, strict=True) if is_known)
    grids = features.grids[known[: len(features.grids)]]
    return replace(features, case_ids=ids, values=features.values[known], grids=grids)

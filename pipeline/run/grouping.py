"""Grouping: how the images of a run are grouped for subgroup statistics and for the worklist."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipeline.cohort.index import Cohort
from pipeline.cohort.selection import group_cases
from pipeline.contracts import Executor
from pipeline.plan import RunPlan
from pipeline.records import ENOUGH_PATIENTS
from pipeline.statistics.dataframes import banded, read_cases
from pipeline.store.atomic import write_bytes


@dataclass(frozen=True, slots=True)
class Grouping:
    """How images are grouped for subgroup statistics."""

    attributes: Sequence[str] = ()
    """Columns of cases.csv."""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column of the config's table → case id → value."""
    minimum_patients: int = ENOUGH_PATIENTS
    """Smaller groups get no statistics."""


def groups_of_cases(run: Path, grouping: Grouping) -> pd.DataFrame:
    """One row per case, one column per attribute."""
    groups = banded(read_cases(run))[list(grouping.attributes)]
    for name, values in grouping.columns.items():
        groups = groups.assign(**{name: [values.get(case_id, "") for case_id in groups.index]})
    return groups


def grouping_of(plan: RunPlan, cohort: Cohort, executor: Executor) -> Grouping:
    """The groups that the config asks for, with the cells of its table."""
    wanted = plan.config.subgroups
    table = wanted.table
    columns = (
        group_cases(
            cohort.cases,
            plan.table(table),
            image=table.image,
            columns=table.columns,
            join=plan.config.annotations.join or "auto",
            executor=executor,
        )
        if table
        else {}
    )
    return Grouping(wanted.attributes, columns, wanted.minimum_patients)


def write_groups(run: Path, audited: Sequence[str], grouping: Grouping) -> None:
    """Write groups.json, by which the worklist is filtered: column → case id → value."""
    groups = {
        name: {case_id: values[case_id] for case_id in audited if values.get(case_id)}
        for name, values in grouping.columns.items()
    }
    write_bytes(run / "groups.json", json.dumps(groups, ensure_ascii=False).encode())

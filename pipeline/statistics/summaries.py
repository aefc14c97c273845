"""Summaries: scores of all cases → mean and interval per finding, reader, method and metric."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.metrics import METRICS
from pipeline.records import Summary, Values
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.bootstrap import Resampling, Units
from pipeline.statistics.intervals import Interval, intervals_of_means
from pipeline.statistics.proportions import interval_of_proportion, is_extreme


class Key(NamedTuple):
    """What a summary is about."""

    finding: str
    reader: str
    method: str
    metric: str


class Column(NamedTuple):
    """The scores behind one summary."""

    defined: Values
    patients: Units
    """What is resampled, of each defined score."""
    undefined: Mapping[str, int]
    """Reason → number of scores."""


def summarise(
    columns: Mapping[Key, Column], *, findings: Sequence[str], resampling: Resampling
) -> list[Summary]:
    """Summaries of scores, in the order of `findings`.

    With more than one finding, the last rows summarise all findings together: the mean over scores, not over
    findings. The order of scores does not affect the result.
    """
    if len({key.finding for key in columns}) > 1:
        columns = {**columns, **_of_all_findings(columns)}
    keys = sorted(columns, key=lambda key: _rank(key, findings))
    intervals = _intervals([(key, columns[key]) for key in keys], resampling)
    return [
        Summary(
            **key._asdict(),
            n=len(columns[key].defined),
            undefined=columns[key].undefined,
            patients=len(np.unique(columns[key].patients)),
            **interval._asdict(),
        )
        for key, interval in zip(keys, intervals, strict=True)
    ]


def columns_of(scores: pd.DataFrame) -> dict[Key, Column]:
    """The columns of scores that `dataframes.read_scores` read."""
    columns = {}
    for key, part in scores.groupby(list(Key._fields), sort=False):
        defined = part[part["value"].notna()]
        reasons = Counter(part.loc[part["value"].isna(), "undefined_because"])
        patients = defined["patient"].tolist()
        columns[Key(*map(str, key))] = Column(
            defined["value"].to_numpy(), patients, dict(sorted(reasons.items()))
        )
    return columns


def _of_all_findings(columns: Mapping[Key, Column]) -> dict[Key, Column]:
    parts: dict[Key, list[Column]] = {}
    for key, column in columns.items():
        parts.setdefault(key._replace(finding=ALL_FINDINGS), []).append(column)
    return {key: _joined(of_key) for key, of_key in parts.items()}


def _joined(parts: Sequence[Column]) -> Column:
    undefined: Counter[str] = Counter()
    for part in parts:
        undefined.update(part.undefined)
    defined, patients = (np.concatenate([part[number] for part in parts]) for number in range(2))
    return Column(defined, patients, dict(sorted(undefined.items())))


def _intervals(columns: Sequence[tuple[Key, Column]], resampling: Resampling) -> list[Interval]:
    """Intervals: of a proportion for binary metrics and shares that are all 0 or 1, of a mean for others."""
    exact = [_is_exact(key.metric, column) for key, column in columns]
    means = [(c.defined, c.patients) for (_, c), is_exact in zip(columns, exact, strict=True) if not is_exact]
    mean_intervals = iter(intervals_of_means(means, resampling))
    return [
        interval_of_proportion(c.defined, c.patients, resampling) if is_exact else next(mean_intervals)
        for (_, c), is_exact in zip(columns, exact, strict=True)
    ]


def _is_exact(name: str, column: Column) -> bool:
    """Whether Clopper and Pearson's interval holds: see `proportions.interval_of_share`."""
    if name not in METRICS:
        return False
    return METRICS[name].binary or (not METRICS[name].unit and is_extreme(column.defined))


def _rank(key: Key, findings: Sequence[str]) -> tuple[int, str, str, str, int, str]:
    """Sort key: given findings first, then others, then all findings together; metrics in registry order."""
    known, metrics = list(findings), list(METRICS)
    finding = known.index(key.finding) if key.finding in known else len(known) + (key.finding == ALL_FINDINGS)
    metric = metrics.index(key.metric) if key.metric in metrics else len(metrics)
    return finding, key.finding, key.reader, key.method, metric, key.metric

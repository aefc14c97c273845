"""Summaries: scores of all cases → mean and interval per finding, reader, method and metric."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from pipeline.metrics import METRICS
from pipeline.records import Summary
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import Interval, intervals_of_means
from pipeline.statistics.proportions import interval_of_proportion, is_extreme


class _Key(NamedTuple):
    finding: str
    reader: str
    method: str
    metric: str


class _Column(NamedTuple):
    """The scores behind one summary."""

    defined: Sequence[float]
    patients: Sequence[str]
    undefined: Mapping[str, int]


def summarise(scores: pd.DataFrame, *, findings: Sequence[str], resampling: Resampling) -> list[Summary]:
    """Summaries of the scores from `dataframes.read_scores`, in the order of `findings`.

    With more than one finding, the last rows summarise all findings together: the mean over scores, not over
    findings. The order of `scores` does not affect the result.
    """
    columns = dict(_columns(scores))
    if len(scores["finding"].unique()) > 1:
        columns |= _columns(scores.assign(finding=ALL_FINDINGS))
    keys = sorted(columns, key=lambda key: _rank(key, findings))
    intervals = _intervals([(key, columns[key]) for key in keys], resampling)
    return [
        Summary(
            **key._asdict(),
            n=len(columns[key].defined),
            undefined=columns[key].undefined,
            patients=len(set(columns[key].patients)),
            **interval._asdict(),
        )
        for key, interval in zip(keys, intervals, strict=True)
    ]


def _columns(scores: pd.DataFrame) -> Iterator[tuple[_Key, _Column]]:
    for key, part in scores.groupby(list(_Key._fields), sort=False):
        defined = part[part["value"].notna()]
        reasons = part.loc[part["value"].isna(), "undefined_because"]
        undefined = dict(sorted(Counter(reasons).items()))
        yield _Key(*map(str, key)), _Column(defined["value"].tolist(), defined["patient"].tolist(), undefined)


def _intervals(columns: Sequence[tuple[_Key, _Column]], resampling: Resampling) -> list[Interval]:
    """Intervals: of a proportion for binary metrics and shares that are all 0 or 1, of a mean for others."""
    exact = [_is_exact(key.metric, column) for key, column in columns]
    means = [(c.defined, c.patients) for (_, c), is_exact in zip(columns, exact, strict=True) if not is_exact]
    mean_intervals = iter(intervals_of_means(means, resampling))
    return [
        interval_of_proportion(c.defined, c.patients, resampling) if is_exact else next(mean_intervals)
        for (_, c), is_exact in zip(columns, exact, strict=True)
    ]


def _is_exact(name: str, column: _Column) -> bool:
    """Whether Clopper and Pearson's interval holds: see `proportions.interval_of_share`."""
    if name not in METRICS:
        return False
    return METRICS[name].binary or (not METRICS[name].unit and is_extreme(column.defined))


def _rank(key: _Key, findings: Sequence[str]) -> tuple[int, str, str, str, int, str]:
    """Sort key: given findings first, then others, then all findings together; metrics in registry order."""
    known, metrics = list(findings), list(METRICS)
    finding = known.index(key.finding) if key.finding in known else len(known) + (key.finding == ALL_FINDINGS)
    metric = metrics.index(key.metric) if key.metric in metrics else len(metrics)
    return finding, key.finding, key.reader, key.method, metric, key.metric

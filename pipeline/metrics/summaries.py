"""Summaries: scores of all cases → one row a finding, reader, method and metric, with its interval."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.metrics import METRICS
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.intervals import Interval, intervals_of_means
from pipeline.metrics.proportions import interval_of_proportion
from pipeline.names import ALL_FINDINGS
from pipeline.records import Score, Summary


class _Key(NamedTuple):
    finding: str
    reader: str
    method: str
    metric: str


@dataclass(slots=True)
class _Column:
    """What is known so far of one row of the table."""

    values: list[float] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    undefined: Counter[str] = field(default_factory=Counter)


def summarise(
    scores: Iterable[tuple[Score, str]],
    *,
    findings: Sequence[str],
    resampling: Resampling,
) -> list[Summary]:
    """Summaries of scores, each with its patient's id, in the order of `findings`.

    Where scores are of more than one finding, the last rows are of all together: the mean over scores, not
    over findings. The order of `scores` does not matter.
    """
    columns = _with_all_findings(_columns(scores))
    keys = sorted(columns, key=lambda key: _rank(key, findings))
    intervals = _intervals([(key, columns[key]) for key in keys], resampling)
    return [
        Summary(
            **key._asdict(),
            n=len(columns[key].values),
            undefined=dict(sorted(columns[key].undefined.items())),
            patients=len(set(columns[key].patients)),
            **interval._asdict(),
        )
        for key, interval in zip(keys, intervals, strict=True)
    ]


def _intervals(columns: Sequence[tuple[_Key, _Column]], resampling: Resampling) -> list[Interval]:
    """Of shares of images as of proportions, of all else as of means."""
    means = [(c.values, c.patients) for key, c in columns if not _is_binary(key.metric)]
    of_means = iter(intervals_of_means(means, resampling))
    return [
        interval_of_proportion(c.values, c.patients, resampling) if _is_binary(key.metric) else next(of_means)
        for key, c in columns
    ]


def _is_binary(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].binary


def _columns(scores: Iterable[tuple[Score, str]]) -> dict[_Key, _Column]:
    columns: defaultdict[_Key, _Column] = defaultdict(_Column)
    for score, patient in scores:
        column = columns[_Key(score.finding, score.reader, score.method, score.metric)]
        if score.value is None:
            column.undefined[score.undefined_because] += 1
        else:
            column.values.append(score.value)
            column.patients.append(patient)
    return dict(columns)


def _with_all_findings(columns: dict[_Key, _Column]) -> dict[_Key, _Column]:
    if len({key.finding for key in columns}) <= 1:
        return columns
    joined: defaultdict[_Key, _Column] = defaultdict(_Column)
    for key, column in columns.items():
        together = joined[key._replace(finding=ALL_FINDINGS)]
        together.values += column.values
        together.patients += column.patients
        together.undefined += column.undefined
    return columns | joined


def _rank(key: _Key, findings: Sequence[str]) -> tuple[int, str, str, str, int, str]:
    """Findings as given, then others, then all together; metrics as registered."""
    known, metrics = list(findings), list(METRICS)
    place = known.index(key.finding) if key.finding in known else len(known) + (key.finding == ALL_FINDINGS)
    rank = metrics.index(key.metric) if key.metric in metrics else len(metrics)
    return place, key.finding, key.reader, key.method, rank, key.metric

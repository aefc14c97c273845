"""Lesion summaries: lesion matching of all cases → recall, FROC and average precision with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from pipeline.metrics.lesions import Rule, unmatched_lesions
from pipeline.records import Candidates, Kind, Summary, Values, scored_as
from pipeline.records.names import FROC_RATES
from pipeline.statistics.bootstrap import Replicated, Resampling, replicated
from pipeline.statistics.detection import Events, average_precision, events, froc, recall, steps
from pipeline.statistics.intervals import Interval, intervals
from pipeline.statistics.measures import Measure
from pipeline.statistics.proportions import interval_of_proportion

RECALL_AT = (0.1, 0.3, 0.5)
PRECISION_AT = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""IoU thresholds at which a contour counts as finding a lesion."""

_MEASURES = {
    **{f"recall_iou_{iou:g}": Measure(f"Lesions found at IoU {iou:g}") for iou in RECALL_AT},
    **{
        f"froc_{rate:g}": Measure(f"Lesions found at {rate:g} false positives per image")
        for rate in FROC_RATES
    },
    "froc_mean": Measure("Lesions found, mean over the rates of false positives"),
    **{f"ap_iou_{iou:g}": Measure(f"Average precision at IoU {iou:g}") for iou in PRECISION_AT},
    "ap_mean": Measure("Average precision, mean over IoU 0.1 … 0.7"),
}
PREFIX: Mapping[Kind, str] = {"mask": "lesion_", "box": "box_lesion_", "point": "point_lesion_"}
"""Kind of reference → prefix of its measures, so that kinds are never averaged together."""
LESION_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {prefix + name: measure for prefix in PREFIX.values() for name, measure in _MEASURES.items()}
)

_Key: TypeAlias = tuple[str, str, str, Kind]
"""(finding, reader, method, kind)."""


def lesion_summaries(
    cases: Iterable[tuple[Candidates, str]],
    *,
    findings: Sequence[str],
    rule: Rule,
    resampling: Resampling,
) -> list[Summary]:
    """Summaries per finding, reader, method and kind, from (candidates, patient) of each case.

    FROC matches by `rule`; recall and average precision match by IoU with the rule's assignment. `n` counts
    lesions. Findings are not pooled, because their contour scores have different scales. The order of
    `cases` does not affect the result.
    """
    by_key: dict[_Key, list[tuple[Candidates, str]]] = {}
    for case, patient in cases:
        key = (case.finding, case.reader, case.method, scored_as(case.kind))
        by_key.setdefault(key, []).append((case, patient))
    rank = {finding: number for number, finding in enumerate(findings)}
    return [
        row
        for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key))
        for row in _rows(key, by_key[key], rule, resampling)
    ]


def _rows(
    key: _Key, cases: Sequence[tuple[Candidates, str]], rule: Rule, resampling: Resampling
) -> list[Summary]:
    finding, reader, method, kind = key
    found = replicated_lesions(cases, rule, resampling)
    recalls = {f"recall_iou_{iou:g}": _recall(cases, iou, rule, resampling) for iou in RECALL_AT}
    lesions = sum(case.lesions for case, _ in cases)
    return [
        Summary(
            finding=finding,
            reader=reader,
            method=method,
            metric=PREFIX[kind] + name,
            n=lesions,
            undefined={} if lesions else {"healthy": len(cases)},
            patients=found.units,
            **recalls.get(name, interval)._asdict(),
        )
        for name, interval in zip(_MEASURES, intervals(found, resampling), strict=True)
    ]


def _recall(
    cases: Sequence[tuple[Candidates, str]], iou: float, rule: Rule, resampling: Resampling
) -> Interval:
    """The share of lesions found; the interval is exact if every patient has one lesion."""
    at = Rule("iou", iou, rule.assignment)
    found: list[float] = []
    patients: list[str] = []
    for case, patient in cases:
        missed = len(unmatched_lesions(case, at))
        found += [0.0] * missed + [1.0] * (case.lesions - missed)
        patients += [patient] * case.lesions
    return interval_of_proportion(found, patients, resampling)


def replicated_lesions(
    cases: Sequence[tuple[Candidates, str]], rule: Rule, resampling: Resampling
) -> Replicated:
    """Replicates of one finding, reader, method and kind; one column per measure, as in `LESION_MEASURES`.

    `comparison.difference` compares two methods over the same cases with them.
    """
    patients = sorted({patient for _, patient in cases})
    index = {patient: number for number, patient in enumerate(patients)}
    candidates, units = [case for case, _ in cases], [index[patient] for _, patient in cases]
    at_rule = events(candidates, units, rule)
    at_iou = {
        iou: events(candidates, units, Rule("iou", iou, rule.assignment))
        for iou in sorted({*RECALL_AT, *PRECISION_AT})
    }
    return replicated(lambda weights: _statistics(weights, at_rule, at_iou), len(patients), resampling)


def _statistics(weights: Values, at_rule: Events, at_iou: Mapping[float, Events]) -> Values:
    """(replicates, measures), in the order of `_MEASURES`."""
    sensitivity = froc(steps(at_rule, weights))
    stepped = {iou: steps(counted, weights) for iou, counted in at_iou.items()}
    precision = np.concatenate([average_precision(stepped[iou]) for iou in PRECISION_AT], axis=1)
    return np.concatenate(
        [
            *(recall(stepped[iou]) for iou in RECALL_AT),
            sensitivity,
            sensitivity.mean(axis=1, keepdims=True),
            precision,
            precision.mean(axis=1, keepdims=True),
        ],
        axis=1,
    )

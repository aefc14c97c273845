"""Lesion summaries: matching records of all cases → recall, FROC and average precision with intervals."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from pipeline.metrics.bootstrap import Replicated, Resampling, Values, replicated
from pipeline.metrics.detection import Events, average_precision, events, froc, recall, steps
from pipeline.metrics.intervals import Interval, intervals
from pipeline.metrics.lesions import Rule, unmatched_lesions
from pipeline.metrics.measures import Measure
from pipeline.metrics.proportions import interval_of_proportion
from pipeline.names import FROC_RATES
from pipeline.records import Candidates, Summary

RECALL_AT = (0.1, 0.3, 0.5)
PRECISION_AT = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""IoU from which on a contour finds a lesion."""

_MEASURES = {
    **{f"recall_iou_{iou:g}": Measure(f"Lesions found at IoU {iou:g}") for iou in RECALL_AT},
    **{
        f"froc_{rate:g}": Measure(f"Lesions found at {rate:g} false positives an image")
        for rate in FROC_RATES
    },
    "froc_mean": Measure("Lesions found, mean over the rates of false positives"),
    **{f"ap_iou_{iou:g}": Measure(f"Average precision at IoU {iou:g}") for iou in PRECISION_AT},
    "ap_mean": Measure("Average precision, mean over IoU 0.1 … 0.7"),
}
PREFIX = {"mask": "lesion_", "box": "box_lesion_"}
"""Kind of reference → how its measures begin, so that masks and boxes are never averaged together."""
LESION_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {prefix + name: measure for prefix in PREFIX.values() for name, measure in _MEASURES.items()}
)

_Key: TypeAlias = tuple[str, str, str, str]
"""(finding, reader, method, kind)."""


def lesion_summaries(
    cases: Iterable[tuple[Candidates, str]],
    *,
    findings: Sequence[str],
    rule: Rule,
    resampling: Resampling,
) -> list[Summary]:
    """Rows of each finding, reader, method and kind, from each case's record and its patient.

    FROC matches by `rule`; recall and average precision match by IoU with the rule's assignment. `n` counts
    lesions. Findings are never pooled: their scores share no scale. The order of `cases` does not matter.
    """
    of_key: dict[_Key, list[tuple[Candidates, str]]] = {}
    for case, patient in cases:
        key = (case.finding, case.reader, case.method, case.kind)
        of_key.setdefault(key, []).append((case, patient))
    place = {finding: number for number, finding in enumerate(findings)}
    return [
        row
        for key in sorted(of_key, key=lambda key: (place.get(key[0], len(place)), key))
        for row in _rows(key, of_key[key], rule, resampling)
    ]


def _rows(
    key: _Key, cases: Sequence[tuple[Candidates, str]], rule: Rule, resampling: Resampling
) -> list[Summary]:
    finding, reader, method, kind = key
    whole = replicated_lesions(cases, rule, resampling)
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
            patients=whole.units,
            **recalls.get(name, interval)._asdict(),
        )
        for name, interval in zip(_MEASURES, intervals(whole, resampling), strict=True)
    ]


def _recall(
    cases: Sequence[tuple[Candidates, str]], iou: float, rule: Rule, resampling: Resampling
) -> Interval:
    """The share of lesions that a contour found: exact where every patient has one."""
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
    """A column a measure, in the order of LESION_MEASURES, of one finding, reader, method and kind.

    Two methods over the same cases can be compared by it (`comparison.difference`).
    """
    patients = sorted({patient for _, patient in cases})
    place = {patient: number for number, patient in enumerate(patients)}
    found, units = [case for case, _ in cases], [place[patient] for _, patient in cases]
    at_rule = events(found, units, rule)
    at_iou = {
        iou: events(found, units, Rule("iou", iou, rule.assignment))
        for iou in sorted({*RECALL_AT, *PRECISION_AT})
    }
    return replicated(lambda weights: _statistics(weights, at_rule, at_iou), len(patients), resampling)


def _statistics(weights: Values, at_rule: Events, at_iou: Mapping[float, Events]) -> Values:
    """A column a measure, in their order."""
    sensitivity = froc(steps(at_rule, weights))
    stepped = {iou: steps(of, weights) for iou, of in at_iou.items()}
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

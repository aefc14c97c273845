"""Lesion summaries: lesion matching of all cases → recall, FROC and average precision with intervals."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np

from pipeline.records import Kind, Summary, Values, scored_as
from pipeline.records.names import FROC_RATES
from pipeline.statistics.bootstrap import BLOCK, Replicated, Resampling, replicated_together
from pipeline.statistics.detection import Events, average_precision, events, froc, recall, steps
from pipeline.statistics.intervals import intervals
from pipeline.statistics.matched import FIRST_IOU, IOUS, PRECISION_AT, RECALL_AT, Key, Matched, Rows
from pipeline.statistics.measures import Measure
from pipeline.statistics.proportions import interval_of_proportion

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


def lesion_summaries(matched: Matched, *, findings: Sequence[str], resampling: Resampling) -> list[Summary]:
    """Summaries per finding, reader, method and kind.

    FROC matches by the run's rule; recall and average precision match by IoU with the rule's assignment. `n`
    counts lesions. Findings are not pooled, because their contour scores have different scales. The order of
    rows does not affect the result.
    """
    by_key = scored_alike(matched)
    replicates = replicated_lesions(matched, by_key.values(), resampling)
    found = dict(zip(by_key, replicates, strict=True))
    rank = {finding: number for number, finding in enumerate(findings)}
    return [
        row
        for key in sorted(by_key, key=lambda key: (rank.get(key[0], len(rank)), key))
        for row in _summaries(key, matched, by_key[key], found[key], resampling)
    ]


def scored_alike(matched: Matched) -> dict[Key, Rows]:
    """The rows of each finding, reader, method and kind of measure."""
    by_key: dict[Key, list[Rows]] = {}
    for (finding, reader, method, kind), rows in matched.by_key():
        by_key.setdefault((finding, reader, method, scored_as(kind)), []).append(rows)
    return {key: np.concatenate(parts) for key, parts in by_key.items()}


def _summaries(
    key: Key, matched: Matched, rows: Rows, found: Replicated, resampling: Resampling
) -> Iterator[Summary]:
    finding, reader, method, kind = key
    lesions = matched.lesions(rows)
    units = matched.units_of(rows)
    patients = [units[row] for row in lesions.row]
    of_rule = {f"recall_iou_{iou:g}": FIRST_IOU + IOUS.index(iou) for iou in RECALL_AT}
    recalls = {
        name: interval_of_proportion((lesions.found >> number) & 1, patients, resampling)
        for name, number in of_rule.items()
    }  # exact if every patient has one lesion
    for name, interval in zip(_MEASURES, intervals(found, resampling), strict=True):
        yield Summary(
            finding=finding,
            reader=reader,
            method=method,
            metric=PREFIX[kind] + name,
            n=len(patients),
            undefined={} if patients else {"healthy": len(rows)},
            patients=found.units,
            **recalls.get(name, interval)._asdict(),
        )


def replicated_lesions(matched: Matched, choices: Iterable[Rows], resampling: Resampling) -> list[Replicated]:
    """Replicates of the rows of each choice; one column per measure, as in `LESION_MEASURES`.

    Choices of as many patients meet the same weights, which are drawn once. `comparison.difference` compares
    two methods over the same cases with them.
    """
    counted = [_counted(matched, rows) for rows in choices]
    of_size: dict[int, list[int]] = {}
    for position, (_, units) in enumerate(counted):
        of_size.setdefault(units, []).append(position)
    found: dict[int, Replicated] = {}
    for units, positions in of_size.items():
        statistics = [partial(_statistics, counted=counted[position][0]) for position in positions]
        found |= zip(positions, replicated_together(statistics, units, resampling), strict=True)
    return [found[position] for position in range(len(counted))]


def _counted(matched: Matched, rows: Rows) -> tuple[list[Events], int]:
    """The events of these rows by each rule, and the number of their patients."""
    patients, unit = np.unique(np.array(matched.units_of(rows)), return_inverse=True)
    return events(matched, rows, unit), len(patients)


def _statistics(weights: Values, counted: Sequence[Events]) -> Values:
    """(replicates, measures), in the order of `_MEASURES`, some replicates at a time.

    A part of several replicates is never of one alone: see `detection.average_precision`.
    """
    at_once = len(weights) * max(len(one.ranking.unit) for one in counted) // BLOCK
    parts = np.array_split(weights, max(min(at_once, len(weights) // 2), 1))
    return np.concatenate([_measures(part, counted) for part in parts])


def _measures(weights: Values, counted: Sequence[Events]) -> Values:
    by_rule, *by_iou = steps(counted, weights)
    at_iou = dict(zip(IOUS, by_iou, strict=True))
    sensitivity = froc(by_rule)
    precision = np.concatenate([average_precision(at_iou[iou]) for iou in PRECISION_AT], axis=1)
    return np.concatenate(
        [
            *(recall(at_iou[iou]) for iou in RECALL_AT),
            sensitivity,
            sensitivity.mean(axis=1, keepdims=True),
            precision,
            precision.mean(axis=1, keepdims=True),
        ],
        axis=1,
    )

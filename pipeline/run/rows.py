"""Rows: what was gathered of all cases as rows of a few tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Literal

from pipeline.metrics import METRICS
from pipeline.metrics.lesions import Rule, unmatched_contours, unmatched_lesions
from pipeline.records import Summary
from pipeline.run.gathered import Gathered, PredictionRow
from pipeline.statistics.calibration import calibration_curve
from pipeline.statistics.classification import MEASURES
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.lesion_sizes import lesion_sizes
from pipeline.statistics.lesion_summaries import LESION_MEASURES
from pipeline.store.tables import summary_row


def calibration_rows(
    predictions: Sequence[PredictionRow], options: StatisticsOptions
) -> Iterator[dict[str, object]]:
    """Rows of calibration.csv."""
    for finding in options.findings:
        known = [row for row in predictions if row[0] == finding and row[4] is not None]
        patients = [patient for _, patient, *_ in known]
        probability, label = [row[2] for row in known], [row[4] is True for row in known]
        for part in calibration_curve(probability, label, patients, options.resampling):
            yield {"finding": finding, **part._asdict()}


def unmatched_rows(gathered: Gathered, network: Sequence[str], rule: Rule) -> Iterator[dict[str, object]]:
    """Rows of unmatched.csv: missed lesions and false-positive contours of the network's methods."""
    for found, _ in gathered.candidates:
        if found.method not in network:
            continue
        keys = {
            "case_id": found.case_id,
            "patient_id": gathered.patient_ids[found.case_id],
            "finding": found.finding,
            "reader": found.reader,
            "method": found.method,
            "kind": found.kind,
        }
        for number in unmatched_lesions(found, rule):
            yield {**keys, "what": "missed_lesion", "number": number}
        what: Literal["contour_without_lesion", "contour_on_healthy"] = (
            "contour_without_lesion" if found.lesions else "contour_on_healthy"
        )
        for number in unmatched_contours(found, rule):
            yield {**keys, "what": what, "number": number}


def lesion_size_rows(
    gathered: Gathered, options: StatisticsOptions, rule: Rule
) -> Iterator[dict[str, object]]:
    """Rows of lesion_sizes.csv."""
    found = lesion_sizes(
        gathered.candidates, findings=options.findings, rule=rule, resampling=options.resampling
    )
    for row in found:
        yield {**asdict(row), "too_few": int(row.too_few)}


def row_of_summary(summary: Summary) -> dict[str, object]:
    """A row of summary.csv, with direction and unit of its measure."""
    name = summary.metric
    measure = MEASURES.get(name) or LESION_MEASURES.get(name) or METRICS[name]
    return summary_row(summary, better=measure.better, unit=measure.unit)

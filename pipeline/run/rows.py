"""Rows: what was gathered of all cases as rows of a few tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.metrics import METRICS
from pipeline.records import Summary
from pipeline.run.gathered import Gathered
from pipeline.run.large_tables import write_rows
from pipeline.statistics.calibration import calibration_curve
from pipeline.statistics.classification import MEASURES
from pipeline.statistics.effects import StatisticsOptions
from pipeline.statistics.lesion_sizes import lesion_sizes
from pipeline.statistics.lesion_summaries import LESION_MEASURES
from pipeline.store.tables import summary_row

MISSED, CONTOUR_ON_LESIONS, CONTOUR_ON_HEALTHY = (
    "missed_lesion",
    "contour_without_lesion",
    "contour_on_healthy",
)
"""What is unmatched: a lesion, or a contour on an image with or without lesions."""


def calibration_rows(gathered: Gathered, options: StatisticsOptions) -> Iterator[dict[str, object]]:
    """Rows of calibration.csv."""
    for finding, rows in gathered.columns.predictions.by_finding(options.findings):
        known = [row for row in rows if row.label is not None]
        probability, label = [row.probability for row in known], [row.label is True for row in known]
        patients = [row.patient for row in known]
        for part in calibration_curve(probability, label, patients, options.resampling):
            yield {"finding": finding, **part._asdict()}


def write_unmatched(run: Path, gathered: Gathered, network: Sequence[str]) -> None:
    """Write unmatched.csv: missed lesions and false-positive contours of the network's methods."""
    matched = gathered.columns.matched
    rows = matched.rows_of(network)
    unmatched = matched.unmatched(rows)
    whose = rows[unmatched.row]
    keys, case_ids, lesions = matched.keys_of(whose), matched.ids_of(whose), matched.lesion_counts(whose)
    columns = zip(keys, case_ids, lesions, unmatched.is_contour, unmatched.number.tolist(), strict=True)
    found = (
        {
            "case_id": case_id,
            "patient_id": gathered.patient_ids[case_id],
            **dict(zip(("finding", "reader", "method", "kind"), key, strict=True)),
            "what": (CONTOUR_ON_LESIONS if count else CONTOUR_ON_HEALTHY) if is_contour else MISSED,
            "number": number,
        }
        for key, case_id, count, is_contour, number in columns
    )
    write_rows(run, "unmatched.csv", found, count=len(whose))


def lesion_size_rows(gathered: Gathered, options: StatisticsOptions) -> Iterator[dict[str, object]]:
    """Rows of lesion_sizes.csv."""
    found = lesion_sizes(gathered.columns.matched, findings=options.findings, resampling=options.resampling)
    for row in found:
        yield {**asdict(row), "too_few": int(row.too_few)}


def row_of_summary(summary: Summary) -> dict[str, object]:
    """A row of summary.csv, with direction and unit of its measure."""
    name = summary.metric
    measure = MEASURES.get(name) or LESION_MEASURES.get(name) or METRICS[name]
    return summary_row(summary, better=measure.better, unit=measure.unit)

"""Results: finished cases → tables, summaries and the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.joints.intake import Case, Intake
from pipeline.joints.truth import Truth
from pipeline.metrics import METRICS
from pipeline.metrics.classification import MEASURES, classification_summaries
from pipeline.metrics.summaries import summarise
from pipeline.records import Score, Skipped, Summary
from pipeline.store.cases import scores_of
from pipeline.store.tables import summary_row, write_case_tables, write_table

PredictionRow = tuple[str, str, float, bool, bool | None]
"""(finding, patient, probability, predicted positive, label)."""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a run."""

    hashes: Mapping[str, str]
    """Case id of every audited image → sha256 of its file."""
    skipped: tuple[Skipped, ...]
    summaries: tuple[Summary, ...]


def tabulate(
    run: Path,
    cases: Sequence[Case],
    *,
    findings: Sequence[str],
    skipped: Sequence[Skipped],
    replicates: int,
    confidence: float,
    seed: int,
) -> Results:
    """Write every CSV but the crosswalk, and `regions.json`; `skipped` was set aside before the cases."""
    predictions: list[PredictionRow] = []
    set_aside = list(skipped)
    hashes: dict[str, str] = {}
    patients: dict[str, str] = {}

    def scores() -> Iterator[tuple[Score, str]]:
        for case in write_case_tables(run, (case.case_id for case in cases)):
            if isinstance(case, Skipped):
                set_aside.append(case)
                continue
            hashes[case["case_id"]] = case["sha256"]
            # Patients are resampled by their place in the study set: another key shall not move an interval.
            patient = patients.setdefault(case["patient_id"], f"{len(patients):09}")
            predictions.extend(_predictions(case, patient))
            set_aside.extend(Skipped(**skip) for skip in case["skipped"])
            yield from ((score, patient) for score in scores_of(case))

    options: dict[str, Any] = {
        "findings": findings,
        "replicates": replicates,
        "confidence": confidence,
        "seed": seed,
    }
    summaries = (*summarise(scores(), **options), *classification_summaries(predictions, **options))
    write_table(run, "summary.csv", map(_summary_row, summaries))
    write_table(run, "skipped.csv", map(asdict, set_aside))
    return Results(hashes, tuple(set_aside), summaries)


def write_crosswalk(run: Path, intake: Intake, truth: Truth, hashes: Mapping[str, str]) -> None:
    """Write the one file that leads from pseudonyms back to the input."""
    write_table(run, "crosswalk.csv", _crosswalk(intake, truth, hashes))


def _predictions(case: Mapping[str, Any], patient: str) -> Iterator[PredictionRow]:
    for prediction in case["predictions"]:
        label = case["labels"].get(prediction["finding"])
        yield (
            prediction["finding"],
            patient,
            prediction["probability"],
            prediction["probability"] >= prediction["threshold"],
            None if label is None else bool(label),
        )


def _summary_row(summary: Summary) -> dict[str, object]:
    measure = MEASURES.get(summary.metric) or METRICS[summary.metric]
    return summary_row(summary, better=measure.better, unit=measure.unit)


def _crosswalk(intake: Intake, truth: Truth, hashes: Mapping[str, str]) -> Iterable[dict[str, object]]:
    for case in intake.cases:
        yield {
            "pseudonym": case.case_id,
            "kind": "image",
            "sop_instance_uid": case.source.sop_instance_uid,
            "frame": case.source.frame,
            "file": case.source.relative_path,
            "sha256": hashes.get(case.case_id, ""),
        }
    for pseudonym, file in intake.skipped_files.items():
        yield {"pseudonym": pseudonym, "kind": "file", "file": file}
    for pseudonym, image in truth.skipped_images.items():
        yield {"pseudonym": pseudonym, "kind": "annotation", "file": image}

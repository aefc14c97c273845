"""Results: finished cases → tables, summaries and the crosswalk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.joints.intake import Case, Intake
from pipeline.joints.truth import Truth
from pipeline.metrics import METRICS
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.classification import MEASURES, classification_summaries
from pipeline.metrics.summaries import summarise
from pipeline.records import Score, Skipped, Summary
from pipeline.store.cases import hash_files, scores_of
from pipeline.store.tables import read_table, summary_row, write_case_tables, write_table

PredictionRow = tuple[str, str, float, bool, bool | None]
"""(finding, patient, probability, predicted positive, label)."""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a run."""

    audited: tuple[str, ...]
    """Case ids."""
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
    audited: list[str] = []
    patients: dict[str, str] = {}

    def scores() -> Iterator[tuple[Score, str]]:
        for case in write_case_tables(run, (case.case_id for case in cases)):
            if isinstance(case, Skipped):
                set_aside.append(case)
                continue
            audited.append(case["case_id"])
            # Patients are resampled by their place in the study set: another key shall not move an interval.
            patient = patients.setdefault(case["patient_id"], f"{len(patients):09}")
            predictions.extend(_predictions(case, patient))
            set_aside.extend(Skipped(**skip) for skip in case["skipped"])
            yield from ((score, patient) for score in scores_of(case))

    resampling = Resampling(replicates=replicates, confidence=confidence, seed=seed)
    summaries = (
        *summarise(scores(), findings=findings, resampling=resampling),
        *classification_summaries(predictions, findings=findings, resampling=resampling),
    )
    write_table(run, "summary.csv", map(_summary_row, summaries))
    write_table(run, "skipped.csv", map(asdict, set_aside))
    return Results(tuple(audited), tuple(set_aside), summaries)


def write_crosswalk(run: Path, cases: Sequence[Case], intake: Intake, truth: Truth) -> str:
    """Write the one file that leads from pseudonyms back to the input; the hash over all inputs' hashes.

    Hashes come from files beside the audited cases, which then go, or from the crosswalk of an earlier try.
    """
    hashes = {row["pseudonym"]: row["sha256"] for row in read_table(run, "crosswalk.csv")}
    beside = dict(hash_files(run, (case.case_id for case in cases)))
    hashes |= {case_id: path.read_text() for case_id, path in beside.items()}
    write_table(run, "crosswalk.csv", _crosswalk(intake, truth, hashes))
    for path in beside.values():
        path.unlink()
    known = sorted(hashes[case.case_id] for case in cases if hashes.get(case.case_id))
    return hashlib.sha256("".join(known).encode()).hexdigest()


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

"""Results: finished cases → tables, summaries and the crosswalk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pipeline.joints.frames import banded, places_of_images, read_cases, read_scores
from pipeline.joints.headlines import Asked, Row, comparison_rows, skill_rows, subgroup_rows
from pipeline.joints.intake import Case, Intake
from pipeline.joints.policy import judged
from pipeline.joints.truth import Truth
from pipeline.metrics import METRICS
from pipeline.metrics.calibration import calibration_curve
from pipeline.metrics.classification import MEASURES, classification_summaries
from pipeline.metrics.curves import summarise_curves
from pipeline.metrics.lesion_summaries import LESION_MEASURES, lesion_summaries
from pipeline.metrics.lesions import Rule, unmatched_contours, unmatched_lesions
from pipeline.metrics.summaries import summarise
from pipeline.records import Candidates, Curve, Score, Skipped, Summary
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import candidates_of, curves_of, hash_files, scores_of
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
    policy: tuple[Mapping[str, Any], ...]
    """Rows of policy.csv."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """By what images are grouped."""

    attributes: Sequence[str] = ()
    """Columns of cases.csv."""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column of a table → case id → value."""
    minimum_patients: int = 10


@dataclass(slots=True)
class _Gathered:
    """What is kept of all cases: a few numbers each."""

    set_aside: list[Skipped]
    audited: list[str] = field(default_factory=list)
    patients: dict[str, str] = field(default_factory=dict)
    """Pseudonym of the patient, or image → place in the study set: another key shall not move an interval."""
    predictions: list[PredictionRow] = field(default_factory=list)
    candidates: list[tuple[Candidates, str]] = field(default_factory=list)
    curves: list[tuple[Curve, str]] = field(default_factory=list)
    units: Literal["patients", "images"] = "patients"
    """What is drawn for intervals."""
    patient_ids: dict[str, str] = field(default_factory=dict)
    """Unit → the patient's pseudonym."""

    def scores(self, cases: Iterable[dict[str, Any] | Skipped]) -> Iterator[tuple[Score, str]]:
        """Every score with its patient; the rest of each case is kept on the way."""
        for case in cases:
            if isinstance(case, Skipped):
                self.set_aside.append(case)
                continue
            self.audited.append(case["case_id"])
            unit = case["patient_id"] if self.units == "patients" else case["case_id"]
            patient = self.patients.setdefault(unit, f"{len(self.patients):09}")
            self.patient_ids[patient] = case["patient_id"]
            self.predictions.extend(_predictions(case, patient))
            self.candidates.extend((found, patient) for found in candidates_of(case))
            self.curves.extend((curve, patient) for curve in curves_of(case))
            self.set_aside.extend(Skipped(**skip) for skip in case["skipped"])
            yield from ((score, patient) for score in scores_of(case))


def tabulate(
    run: Path,
    cases: Sequence[Case],
    *,
    asked: Asked,
    matching: Rule,
    grouping: Grouping,
    limits: Mapping[str, float | None],
    skipped: Sequence[Skipped],
    units: Literal["patients", "images"] = "patients",
) -> Results:
    """Write every CSV but the crosswalk, and `regions.json`; `skipped` was set aside before the cases."""
    gathered = _Gathered(list(skipped), units=units)
    options: dict[str, Any] = {"findings": asked.findings, "resampling": asked.resampling}
    scores = gathered.scores(write_case_tables(run, (case.case_id for case in cases)))
    summaries = (
        *summarise(scores, **options),
        *lesion_summaries(gathered.candidates, rule=matching, **options),
        *(classification_summaries(gathered.predictions, **options) if gathered.predictions else ()),
    )
    write_table(run, "summary.csv", map(_summary_row, summaries))
    write_table(run, "skipped.csv", map(asdict, gathered.set_aside))
    write_table(run, "thresholds.csv", map(asdict, summarise_curves(gathered.curves, **options)))
    write_table(run, "calibration.csv", _calibration(gathered.predictions, asked))
    write_table(run, "unmatched.csv", _unmatched(gathered, asked.network, matching))
    skills = _compare(run, asked, grouping, units)
    policy = tuple(
        judged(limits, findings=asked.findings, method=asked.network[0], summaries=summaries, skills=skills)
    )
    write_table(run, "policy.csv", policy)
    _write_groups(run, gathered.audited, grouping)
    return Results(tuple(gathered.audited), tuple(gathered.set_aside), summaries, policy)


def _write_groups(run: Path, audited: Sequence[str], grouping: Grouping) -> None:
    """groups.json: column of the table → case → value, by which the worklist can be filtered."""
    groups = {
        name: {case_id: values[case_id] for case_id in audited if values.get(case_id)}
        for name, values in grouping.columns.items()
    }
    write_bytes(run / "groups.json", json.dumps(groups, ensure_ascii=False).encode())


def write_crosswalk(
    run: Path,
    cases: Sequence[Case],
    intake: Intake,
    truth: Truth,
    *,
    heatmaps: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Write the one file that leads from pseudonyms back to the input; the hash over all inputs' hashes.

    Hashes come from files beside the audited cases, which then go, or from the crosswalk of an earlier try.
    """
    hashes = {row["pseudonym"]: row["sha256"] for row in read_table(run, "crosswalk.csv")}
    beside = dict(hash_files(run, (case.case_id for case in cases)))
    hashes |= {case_id: path.read_text() for case_id, path in beside.items()}
    write_table(run, "crosswalk.csv", _crosswalk(intake, truth, hashes, heatmaps))
    for path in beside.values():
        path.unlink()
    known = sorted(hashes[case.case_id] for case in cases if hashes.get(case.case_id))
    return hashlib.sha256("".join(known).encode()).hexdigest()


def _compare(run: Path, asked: Asked, grouping: Grouping, units: Literal["patients", "images"]) -> list[Row]:
    """Write the tables that hold methods and groups of images against each other; the rows of skill."""
    scores = read_scores(run)
    if units == "images":
        scores = scores.assign(patient=scores["case_id"].map(places_of_images(run)))
    groups = banded(read_cases(run))[list(grouping.attributes)]
    for name, values in grouping.columns.items():
        groups = groups.assign(**{name: [values.get(case_id, "") for case_id in groups.index]})
    skills = list(skill_rows(scores, asked))
    write_table(run, "skill.csv", skills)
    write_table(run, "comparisons.csv", comparison_rows(scores, asked))
    found = subgroup_rows(scores, groups, asked, minimum=grouping.minimum_patients)
    write_table(run, "subgroups.csv", found)
    return skills


def _calibration(predictions: Sequence[PredictionRow], asked: Asked) -> Iterator[dict[str, object]]:
    for finding in asked.findings:
        known = [row for row in predictions if row[0] == finding and row[4] is not None]
        patients = [patient for _, patient, *_ in known]
        probability, label = [row[2] for row in known], [row[4] is True for row in known]
        for part in calibration_curve(probability, label, patients, asked.resampling):
            yield {"finding": finding, **part._asdict()}


def _unmatched(gathered: _Gathered, network: Sequence[str], rule: Rule) -> Iterator[dict[str, object]]:
    """Lesions that no contour found, and contours that found no lesion, of the network's methods."""
    for found, patient in gathered.candidates:
        if found.method not in network:
            continue
        keys = {
            "case_id": found.case_id,
            "patient_id": gathered.patient_ids[patient],
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
    name = summary.metric
    measure = MEASURES.get(name) or LESION_MEASURES.get(name) or METRICS[name]
    return summary_row(summary, better=measure.better, unit=measure.unit)


def _crosswalk(
    intake: Intake, truth: Truth, hashes: Mapping[str, str], heatmaps: Mapping[str, str]
) -> Iterable[dict[str, object]]:
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
    for pseudonym, words in intake.devices.items():
        yield {"pseudonym": pseudonym, "kind": "device", "file": words}
    for pseudonym, words in truth.unknown_words.items():
        yield {"pseudonym": pseudonym, "kind": "finding", "file": words}
    for pseudonym, image in truth.skipped_images.items():
        yield {"pseudonym": pseudonym, "kind": "annotation", "file": image}
    for pseudonym, name in heatmaps.items():
        yield {"pseudonym": pseudonym, "kind": "heatmap", "file": name}

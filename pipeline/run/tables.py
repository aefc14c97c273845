"""Tables: finished cases → every CSV except the crosswalk: scores, summaries, policy, verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline.cohort.index import Cohort
from pipeline.cohort.selection import group_cases
from pipeline.contracts import Executor
from pipeline.ground_truth.matching import Truth
from pipeline.metrics import METRICS
from pipeline.metrics.lesions import Rule, unmatched_contours, unmatched_lesions
from pipeline.metrics.pixels import LEVELS
from pipeline.plan import RunPlan
from pipeline.records import ENOUGH_PATIENTS, Candidates, Case, Curve, Skipped, Summary
from pipeline.run.opening import Run
from pipeline.run_files.damage import damaged, shown
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.calibration import calibration_curve
from pipeline.statistics.classification import MEASURES, classification_summaries
from pipeline.statistics.curves import summarise_curves
from pipeline.statistics.dataframes import banded, headline_scores, read_cases, read_scores
from pipeline.statistics.effects import Row, StatisticsOptions, comparison_rows, skill_rows, subgroup_rows
from pipeline.statistics.lesion_summaries import LESION_MEASURES, lesion_summaries
from pipeline.statistics.policy import apply_policy
from pipeline.statistics.summaries import summarise as summarise_scores
from pipeline.statistics.verdict import Evidence, VerdictRow, verdict_rows
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import candidates_of, case_folder, curves_of
from pipeline.store.tables import summary_row, write_case_tables, write_table

PredictionRow = tuple[str, str, float, bool, bool | None]
"""(finding, patient, probability, predicted positive, label)."""
Units = Literal["patients", "images"]


@dataclass(frozen=True, slots=True)
class Results:
    """Results of a run."""

    audited: tuple[str, ...]
    """Case ids."""
    skipped: tuple[Skipped, ...]
    summaries: tuple[Summary, ...]
    policy: tuple[Mapping[str, Any], ...]
    """Rows of policy.csv."""
    verdict: tuple[VerdictRow, ...]
    """Rows of verdict.csv."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How images are grouped for subgroup statistics."""

    attributes: Sequence[str] = ()
    """Columns of cases.csv."""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column of the config's table → case id → value."""
    minimum_patients: int = ENOUGH_PATIENTS
    """Smaller groups get no statistics."""


@dataclass(slots=True)
class _Gathered:
    """The few numbers per case that are kept in memory for the statistics."""

    skipped: list[Skipped]
    units: Units
    audited: list[str] = field(default_factory=list)
    unit_indexes: dict[str, str] = field(default_factory=dict)
    """Pseudonym of the patient or image → its index, because intervals must not depend on the key."""
    patient_ids: dict[str, str] = field(default_factory=dict)
    """Index → the patient's pseudonym."""
    predictions: list[PredictionRow] = field(default_factory=list)
    candidates: list[tuple[Candidates, str]] = field(default_factory=list)
    curves: list[tuple[Curve, str]] = field(default_factory=list)

    def add(self, case: dict[str, Any] | Skipped) -> None:
        """Add the numbers of a case."""
        if isinstance(case, Skipped):
            self.skipped.append(case)
            return
        self.audited.append(case["case_id"])
        unit = case["patient_id"] if self.units == "patients" else case["case_id"]
        index = self.unit_indexes.setdefault(unit, f"{len(self.unit_indexes):09}")
        self.patient_ids[index] = case["patient_id"]
        self.predictions.extend(_predictions(case, index))
        self.candidates.extend((candidates, index) for candidates in candidates_of(case))
        self.curves.extend((curve, index) for curve in curves_of(case))
        self.skipped.extend(Skipped(**skip) for skip in case["skipped"])


def summarise(
    plan: RunPlan,
    run: Run,
    cohort: Cohort,
    truth: Truth,
    *,
    cases: Sequence[Case],
    methods: Sequence[str],
    skipped: Sequence[Skipped] = (),
) -> Results:
    """Write the tables of a run whose `cases` are finished; `skipped` are inputs that never became a case.

    `methods` are the network's; the verdict is about the first.
    """
    config = plan.config
    case_ids = {case.case_id for case in cases}
    return write_tables(
        run.folder,
        cases,
        options=StatisticsOptions(
            findings=plan.findings,
            network=methods,
            baselines=plan.baselines,
            resampling=Resampling(**config.statistics.model_dump(exclude={"units"})),
            minimum_patients=config.subgroups.minimum_patients,
        ),
        matching=Rule(**config.lesions.model_dump()),
        grouping=_grouping(plan, cohort, run.executor),
        limits=config.policy.limits,
        skipped=[
            *cohort.skipped,
            *(s for s in truth.skipped if s.subject in case_ids or not s.subject.startswith("case-")),
            *truth.unread,
            *skipped,
        ],
        units=config.statistics.units,
    )


def write_tables(
    run: Path,
    cases: Sequence[Case],
    *,
    options: StatisticsOptions,
    matching: Rule,
    grouping: Grouping,
    limits: Mapping[str, float | None],
    skipped: Sequence[Skipped],
    units: Units = "patients",
) -> Results:
    """Write every CSV except the crosswalk, and `regions.json`; `skipped` come before skipped cases."""
    gathered = _Gathered(list(skipped), units)
    for case in write_case_tables(run, (case.case_id for case in cases)):
        _refuse_foreign(run, case)
        gathered.add(case)
    scores = read_scores(run, units=units)
    summaries = tuple(_summaries(scores, gathered, options, matching))
    write_table(run, "summary.csv", map(_summary_row, summaries))
    write_table(run, "skipped.csv", map(asdict, gathered.skipped))
    curves = summarise_curves(gathered.curves, findings=options.findings, resampling=options.resampling)
    write_table(run, "thresholds.csv", map(asdict, curves))
    write_table(run, "calibration.csv", _calibration(gathered.predictions, options))
    write_table(run, "unmatched.csv", _unmatched(gathered, options.network, matching))
    skills, comparisons = _write_effects(run, headline_scores(scores), options, grouping)
    policy = tuple(
        apply_policy(
            limits, findings=options.findings, method=options.network[0], summaries=summaries, skills=skills
        )
    )
    write_table(run, "policy.csv", policy)
    evidence = Evidence(summaries, comparisons, options.network, options.baselines)
    verdict = tuple(verdict_rows(evidence, options.findings))
    write_table(run, "verdict.csv", map(asdict, verdict))
    _write_groups(run, gathered.audited, grouping)
    return Results(tuple(gathered.audited), tuple(gathered.skipped), summaries, policy, verdict)


def _refuse_foreign(run: Path, case: dict[str, Any] | Skipped) -> None:
    """Raise ConfigError for a case that another version or damage left: unknown metrics, other thresholds."""
    if isinstance(case, Skipped):
        return
    path = case_folder(run, case["case_id"]) / "case.json"
    for name in {score["metric"] for score in case["scores"]} - set(METRICS):
        raise damaged(path, f"scores: metric: found {shown(name)}, which is not installed")
    if any(len(curve["ious"]) != len(LEVELS) for curve in case["curves"]):
        raise damaged(path, f"curves: ious: wanted {len(LEVELS)} values")


def _summaries(
    scores: pd.DataFrame, gathered: _Gathered, options: StatisticsOptions, matching: Rule
) -> Iterator[Summary]:
    """Rows of summary.csv: scores, then lesion measures, then classification measures."""
    options_of_run: dict[str, Any] = {"findings": options.findings, "resampling": options.resampling}
    yield from summarise_scores(scores, **options_of_run)
    yield from lesion_summaries(gathered.candidates, rule=matching, **options_of_run)
    if gathered.predictions:
        yield from classification_summaries(gathered.predictions, **options_of_run)


def _write_effects(
    run: Path, scores: pd.DataFrame, options: StatisticsOptions, grouping: Grouping
) -> tuple[list[Row], list[Row]]:
    """Write skill.csv, comparisons.csv and subgroups.csv; returns the rows of the first two."""
    groups = banded(read_cases(run))[list(grouping.attributes)]
    for name, values in grouping.columns.items():
        groups = groups.assign(**{name: [values.get(case_id, "") for case_id in groups.index]})
    skills, comparisons = list(skill_rows(scores, options)), list(comparison_rows(scores, options))
    write_table(run, "skill.csv", skills)
    write_table(run, "comparisons.csv", comparisons)
    subgroups = subgroup_rows(scores, groups, options, minimum=grouping.minimum_patients)
    write_table(run, "subgroups.csv", subgroups)
    return skills, comparisons


def _grouping(plan: RunPlan, cohort: Cohort, executor: Executor) -> Grouping:
    wanted = plan.config.subgroups
    table = wanted.table
    columns = (
        group_cases(
            cohort.cases,
            plan.table(table),
            image=table.image,
            columns=table.columns,
            join=plan.config.annotations.join or "auto",
            executor=executor,
        )
        if table
        else {}
    )
    return Grouping(wanted.attributes, columns, wanted.minimum_patients)


def _write_groups(run: Path, audited: Sequence[str], grouping: Grouping) -> None:
    """Write groups.json, by which the worklist is filtered: column → case id → value."""
    groups = {
        name: {case_id: values[case_id] for case_id in audited if values.get(case_id)}
        for name, values in grouping.columns.items()
    }
    write_bytes(run / "groups.json", json.dumps(groups, ensure_ascii=False).encode())


def _calibration(
    predictions: Sequence[PredictionRow], options: StatisticsOptions
) -> Iterator[dict[str, object]]:
    for finding in options.findings:
        known = [row for row in predictions if row[0] == finding and row[4] is not None]
        patients = [patient for _, patient, *_ in known]
        probability, label = [row[2] for row in known], [row[4] is True for row in known]
        for part in calibration_curve(probability, label, patients, options.resampling):
            yield {"finding": finding, **part._asdict()}


def _unmatched(gathered: _Gathered, network: Sequence[str], rule: Rule) -> Iterator[dict[str, object]]:
    """Rows of unmatched.csv: missed lesions and false-positive contours of the network's methods."""
    for found, index in gathered.candidates:
        if found.method not in network:
            continue
        keys = {
            "case_id": found.case_id,
            "patient_id": gathered.patient_ids[index],
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

"""Tables: finished cases → every CSV except the crosswalk: scores, summaries, policy, verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.cohort.index import Cohort
from pipeline.config import Policy
from pipeline.contracts import Executor
from pipeline.ground_truth.matching import Truth
from pipeline.metrics.lesions import Rule
from pipeline.plan import RunPlan
from pipeline.records import Case, LayerStatistics, Skipped, Summary, Suspicion
from pipeline.records.names import HEADLINES
from pipeline.run.case_tables import write_case_tables
from pipeline.run.finished import Columns
from pipeline.run.gathered import Gathered, Units
from pipeline.run.grouping import Grouping, grouping_of, groups_of_cases, write_groups
from pipeline.run.opening import Run
from pipeline.run.probed import write_probe_tables
from pipeline.run.readouts import write_readouts
from pipeline.run.rows import calibration_rows, lesion_size_rows, row_of_summary, write_unmatched
from pipeline.run.suspects import write_suspects
from pipeline.run.suspicions import suspicions_of as suspicions_of_notices
from pipeline.statistics.alignment import alignment_rows
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.classification import classification_summaries
from pipeline.statistics.conclusion import with_conclusions
from pipeline.statistics.cross import cross_rows
from pipeline.statistics.curves import summarise_curves
from pipeline.statistics.dataframes import LOOK_ALIKES
from pipeline.statistics.effects import Row, StatisticsOptions, comparison_rows, skill_rows
from pipeline.statistics.groups import classifier_rows, subgroup_rows
from pipeline.statistics.lesion_summaries import lesion_summaries
from pipeline.statistics.look_alikes import suspicion_of_look_alikes
from pipeline.statistics.matched import Matched
from pipeline.statistics.policy import apply_policy, suspicions_beyond
from pipeline.statistics.rules import RunTables
from pipeline.statistics.summaries import summarise as summarise_scores
from pipeline.statistics.verdict import Evidence, VerdictRow, verdict_rows
from pipeline.store.readings import read_reading
from pipeline.store.tables import write_table

ALIKE = "alike_apart"
"""The check of annotations whose level says whether look-alike images of several patients mean anything."""


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
    suspicions: tuple[Suspicion, ...] = ()
    """Rows of suspects.csv."""


def summarise(
    plan: RunPlan,
    run: Run,
    cohort: Cohort,
    truth: Truth,
    *,
    cases: Sequence[Case],
    methods: Sequence[str],
    skipped: Sequence[Skipped] = (),
    suspicions: Sequence[Suspicion] = (),
    read_attributes: bool = False,
) -> Results:
    """Write the tables of a run whose `cases` are finished; `skipped` are inputs that never became a case.

    `methods` are the network's; the verdict is about the first. `suspicions` are those of the stages before;
    notices of the run, the rules of the statistics and the probes add theirs. `read_attributes`: whether
    attributes of images are read from the features of the network, too.
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
            probes=config.probes,
        ),
        matching=Rule(**config.lesions.model_dump()),
        grouping=grouping_of(plan, cohort, run.executor),
        policy_limits=config.policy,
        skipped=[
            *cohort.skipped,
            *(s for s in truth.skipped if s.subject in case_ids or not s.subject.startswith("case-")),
            *truth.unread,
            *skipped,
        ],
        units=config.statistics.units,
        look_alikes=config.validation.levels.get(ALIKE, "warning") not in {"note", "off"},
        suspicions=[*suspicions_of_notices(run.notices, run.pseudonym), *suspicions],
        read_attributes=read_attributes,
        executor=run.executor,
    )


def write_tables(
    run: Path,
    cases: Sequence[Case],
    *,
    options: StatisticsOptions,
    matching: Rule,
    grouping: Grouping,
    policy_limits: Policy,
    skipped: Sequence[Skipped],
    units: Units = "patients",
    suspicions: Sequence[Suspicion] = (),
    look_alikes: bool = True,
    read_attributes: bool = False,
    executor: Executor,
) -> Results:
    """Write every CSV except the crosswalk, and `regions.json`; `skipped` come before skipped cases.

    `look_alikes`: whether images of several patients that look the same count as images of one.
    """
    gathered = Gathered(list(skipped), units, Columns(Matched.by(matching)))
    case_ids = [case.case_id for case in cases]
    write_case_tables(run, case_ids, gathered, rule=matching, executor=executor)
    groups = _write_look_alikes(run, gathered, wanted=look_alikes)
    summaries = tuple(_summaries(gathered.columns, options))
    write_table(run, "summary.csv", map(row_of_summary, summaries))
    _write_counts(run, gathered, options)
    headlines, predictions = gathered.columns.scores.frame(HEADLINES), gathered.columns.predictions.frame()
    skills, comparisons = _write_effects(run, headlines, options)
    in_groups = _write_subgroups(run, headlines, predictions, options, grouping)
    evidence = Evidence(summaries, comparisons, options.network, options.baselines)
    judged = verdict_rows(evidence, options.findings)
    tables = RunTables(
        options.findings,
        summaries,
        *_write_fits(run, gathered, predictions, options),
        in_groups,
        judged,
        probabilities=gathered.columns.predictions.probabilities(),
        grids=gathered.grids[options.network[0]],
        layers=_write_normalisation(run),
        labels=gathered.columns.predictions.label_counts(),
        negatives=gathered.negatives(),
        images=len(gathered.audited),
    )
    effects = write_probe_tables(run, gathered, options, headlines=headlines, predictions=predictions)
    suspects = write_suspects(
        run,
        gathered,
        options,
        (*suspicions, *suspicion_of_look_alikes(groups, len(gathered.audited))),
        tables=tables,
        readouts=write_readouts(run, gathered, options, grouping, with_attributes=read_attributes),
        effects=effects,
    )
    verdict = tuple(with_conclusions(judged, effects, suspects))
    write_table(run, "verdict.csv", map(asdict, verdict))
    policy = _write_policy(run, policy_limits, options, summaries, skills, suspects)
    write_groups(run, gathered.audited, grouping)
    return Results(tuple(gathered.audited), tuple(gathered.skipped), summaries, policy, verdict, suspects)


def _write_counts(run: Path, gathered: Gathered, options: StatisticsOptions) -> None:
    """Write skipped.csv, thresholds.csv, calibration.csv, unmatched.csv and lesion_sizes.csv."""
    write_table(run, "skipped.csv", map(asdict, gathered.skipped))
    curves = summarise_curves(
        gathered.columns.curves, findings=options.findings, resampling=options.resampling
    )
    write_table(run, "thresholds.csv", map(asdict, curves))
    write_table(run, "calibration.csv", calibration_rows(gathered, options))
    write_unmatched(run, gathered, options.network)
    write_table(run, "lesion_sizes.csv", lesion_size_rows(gathered, options))


def _write_look_alikes(run: Path, gathered: Gathered, *, wanted: bool) -> list[list[str]]:
    """Write look_alikes.csv, and let the patients of each group count as one; returns the groups."""
    groups = gathered.look_alikes() if wanted else []
    rows = [
        {"group": number, "case_id": case_id, "patient_id": gathered.patient_ids[case_id]}
        for number, group in enumerate(groups, start=1)
        for case_id in group
    ]
    write_table(run, LOOK_ALIKES, rows)
    gathered.merge(groups)
    return groups


def _write_normalisation(run: Path) -> tuple[LayerStatistics, ...]:
    """Write normalisation.csv; returns its rows."""
    reading = read_reading(run)
    layers = () if reading is None else reading.layers
    rows = (asdict(layer) | {"is_trained": int(layer.is_trained)} for layer in layers)
    write_table(run, "normalisation.csv", rows)
    return layers


def _summaries(columns: Columns, options: StatisticsOptions) -> Iterator[Summary]:
    """Rows of summary.csv: scores, then lesion measures, then classification measures."""
    options_of_run: dict[str, Any] = {"findings": options.findings, "resampling": options.resampling}
    yield from summarise_scores(columns.scores.columns(), **options_of_run)
    yield from lesion_summaries(columns.matched, **options_of_run)
    if columns.predictions.findings.in_order:
        yield from classification_summaries(columns.predictions.by_finding(), **options_of_run)


def _write_subgroups(
    run: Path,
    headlines: pd.DataFrame,
    predictions: pd.DataFrame,
    options: StatisticsOptions,
    grouping: Grouping,
) -> list[Row]:
    """Write subgroups.csv; returns its rows."""
    groups, minimum = groups_of_cases(run, grouping), grouping.minimum_patients
    rows = [
        *subgroup_rows(headlines, groups, options, minimum=minimum),
        *classifier_rows(predictions, groups, options, minimum=minimum),
    ]
    write_table(run, "subgroups.csv", rows)
    return rows


def _write_policy(
    run: Path,
    limits: Policy,
    options: StatisticsOptions,
    summaries: Sequence[Summary],
    skills: Sequence[Row],
    suspects: Sequence[Suspicion],
) -> tuple[Mapping[str, Any], ...]:
    """Write policy.csv; returns its rows."""
    findings, method = options.findings, options.network[0]
    limited = apply_policy(
        limits.limits, findings=findings, method=method, summaries=summaries, skills=skills
    )
    rows = (*limited, *suspicions_beyond(limits.max_suspicion, suspects, findings))
    write_table(run, "policy.csv", rows)
    return rows


def _write_fits(
    run: Path, gathered: Gathered, predictions: pd.DataFrame, options: StatisticsOptions
) -> tuple[list[Row], list[Row]]:
    """Write cross.csv and alignment.csv; returns their rows."""
    method = options.network[0]
    cross = cross_rows(predictions, gathered.columns.fits.cross(method), options.findings, options.resampling)
    alignment = alignment_rows(gathered.columns.fits, method, options.findings)
    write_table(run, "cross.csv", cross)
    write_table(run, "alignment.csv", alignment)
    return cross, alignment


def _write_effects(
    run: Path, scores: pd.DataFrame, options: StatisticsOptions
) -> tuple[list[Row], list[Row]]:
    """Write skill.csv and comparisons.csv; returns their rows."""
    skills, comparisons = list(skill_rows(scores, options)), list(comparison_rows(scores, options))
    write_table(run, "skill.csv", skills)
    write_table(run, "comparisons.csv", comparisons)
    return skills, comparisons

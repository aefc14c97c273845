"""Audit: the whole run, from a plan to a report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Contours
from pipeline.contracts import Executor, Tolerances
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.joints.baselines import center_maps, chosen, location_maps, packed
from pipeline.joints.burned_in import text_search, with_detector
from pipeline.joints.drawn import Cut, Protocol
from pipeline.joints.drift import prove_backend
from pipeline.joints.headlines import Asked
from pipeline.joints.intake import NOT_IMAGES, Case, Intake, take_in
from pipeline.joints.manifest import run_id, write_manifest
from pipeline.joints.plan import Plan
from pipeline.joints.results import Grouping, Results, tabulate, write_crosswalk
from pipeline.joints.selection import grouped, selected
from pipeline.joints.stream import work_through
from pipeline.joints.subject import CheckResult, Subject, open_subject, prove
from pipeline.joints.truth import Truth, gather
from pipeline.metrics.bootstrap import Resampling
from pipeline.metrics.lesions import Rule
from pipeline.records import Intensity, Progress
from pipeline.reporting import write_report
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import sweep
from pipeline.store.lock import locked
from pipeline.store.pseudonyms import keep, open_pseudonyms

NOT_MISSED = NOT_IMAGES | {"repeated_sop_instance_uid"}
"""Reasons for which a file is listed, but nothing is missing from the audit."""
WORKER_MODULES = ("pipeline.joints.work",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    index: Path
    results: Results
    images: int
    missed_share: float
    """Images that should have been audited and were not, as a share."""
    passed: bool
    """Whether the policy was met."""


def audit(plan: Plan, *, progress: Callable[[Progress], None] = lambda _: None) -> Outcome:
    """Run a plan to its report. A run that was killed goes on where it stopped, to the same bytes."""
    plan = with_detector(plan)
    config = plan.config
    key = config.out / "pseudonym.key"
    pseudonyms = open_pseudonyms(key)
    limits = Limits(config.limits.seconds, config.limits.memory_mb)
    with Pool(workers=config.workers, preload=WORKER_MODULES, limits=limits) as pool:
        subject = _subject(plan)
        checks = [*prove(subject), *_drift(plan, subject)]
        intake = take_in(plan.studies, executor=pool, pseudonym=pseudonyms.of)
        cases = _selected(plan, intake)
        truth = _truth(plan, intake, pseudonyms.of)
        maps = _baselines(plan, intake, cases, truth, pool)
        priors = packed(maps)
        run = config.out / run_id(plan, subject, cases, truth, hashlib.sha256(priors).hexdigest())
        with locked(run):
            keep(pseudonyms, key)
            sweep(run, (case.case_id for case in cases))
            write_bytes(run / "baselines.npz", priors)
            protocol = _protocol(run, plan, truth)
            work_through(
                cases,
                subject,
                truth,
                protocol,
                executor=pool,
                batch_size=config.batch_size,
                progress=progress,
            )
            results = _tabulate(run, plan, subject, cases, intake, truth)
            inputs = write_crosswalk(run, cases, intake, truth)
            write_manifest(
                run,
                plan,
                subject,
                intake=intake,
                cases=cases,
                truth=truth,
                checks=checks,
                results=results,
                inputs_sha256=inputs,
            )
            index = write_report(run, write=write_bytes)
    missed = _missed_share(cases, results)
    kept = all(row["outcome"] != "fail" for row in results.policy)
    passed = kept and missed <= config.policy.max_skipped
    return Outcome(index, results, len(cases), missed, passed=passed)


def _selected(plan: Plan, intake: Intake) -> list[Case]:
    select = plan.config.select
    if select is None:
        return list(intake.cases)
    return selected(intake.cases, plan.table(select), image=select.image, where=select.where)


def _truth(plan: Plan, intake: Intake, pseudonym: Callable[..., str]) -> Truth:
    annotations = plan.config.annotations
    return gather(
        plan.annotations,
        sources=annotations.sources,
        labels=plan.labels(),
        names=annotations.findings,
        findings=plan.card.findings,
        cases=intake.cases,
        pseudonym=pseudonym,
    )


def _subject(plan: Plan) -> Subject:
    config = plan.config
    return open_subject(
        plan.card_path,
        weights=config.weights,
        allow_pickle=config.allow_pickle_weights,
        device=config.device,
        precision=config.precision,
        methods=config.methods,
        memory_mb=config.memory_mb,
        backend=config.backend,
    )


def _drift(plan: Plan, subject: Subject) -> list[CheckResult]:
    contours, bounds = plan.config.contours, plan.config.backend_drift
    return prove_backend(
        subject, rule=contours.rule, threshold=contours.threshold, logit=bounds.logit, iou=bounds.iou
    )


def _baselines(
    plan: Plan, intake: Intake, cases: Sequence[Case], truth: Truth, executor: Executor
) -> dict[str, Intensity]:
    """The maps that are the same for all images; the location prior is of images that are not audited."""
    baselines, findings = plan.config.baselines, plan.card.findings
    maps = center_maps() if baselines.center_prior else {}
    if baselines.location_prior and plan.config.select:
        select = plan.config.select
        others = selected(
            intake.cases, plan.table(select), image=select.image, where=baselines.location_prior.where
        )
        audited = {case.patient_id for case in cases}
        others = [case for case in others if case.patient_id not in audited]
        maps |= location_maps(others, truth, findings=findings, executor=executor)
    return maps


def _protocol(run: Path, plan: Plan, truth: Truth) -> Protocol:
    config, contours = plan.config, plan.config.contours
    return Protocol(
        run=run,
        cut=Cut(contours.rule, contours.threshold, contours.gate, contours.probability),
        cuts=tuple((finding, _cut(contours, finding)) for finding in sorted(contours.findings)),
        minimum_area_px=contours.minimum_area_px,
        minimum_area_mm2=contours.minimum_area_mm2,
        kind=truth.kind,
        negative_reader=truth.reader,
        baselines=chosen(config.baselines),
        metrics=plan.metrics,
        tolerances=Tolerances(**config.tolerances.model_dump()),
        consensus=config.readers.consensus,
        search=text_search(plan),
    )


def _cut(contours: Contours, finding: str) -> Cut:
    """What the finding's own cut leaves open is as for all findings."""
    common = contours.model_dump(include={"rule", "threshold", "gate", "probability"})
    return Cut(**common | contours.findings[finding].model_dump(exclude_none=True))


def _tabulate(
    run: Path, plan: Plan, subject: Subject, cases: Sequence[Case], intake: Intake, truth: Truth
) -> Results:
    config = plan.config
    audited = {case.case_id for case in cases}
    return tabulate(
        run,
        cases,
        asked=Asked(
            findings=plan.card.findings,
            network=[method.name for method in subject.explainer.methods],
            baselines=chosen(config.baselines),
            resampling=Resampling(**config.statistics.model_dump()),
        ),
        matching=Rule(**config.lesions.model_dump()),
        grouping=_grouping(plan, intake),
        limits=config.policy.limits,
        skipped=[
            *intake.skipped,
            *(s for s in truth.skipped if s.subject in audited or not s.subject.startswith("case-")),
        ],
    )


def _grouping(plan: Plan, intake: Intake) -> Grouping:
    asked = plan.config.subgroups
    columns = (
        grouped(intake.cases, plan.table(asked.table), image=asked.table.image, columns=asked.table.columns)
        if asked.table
        else {}
    )
    return Grouping(asked.attributes, columns, asked.minimum_patients)


def _missed_share(cases: Sequence[Case], results: Results) -> float:
    missed = {s.subject for s in results.skipped if s.stage in {"load", "explain", "score"}}
    unread = {s.subject for s in results.skipped if s.stage == "index" and s.reason not in NOT_MISSED}
    return len(missed | unread) / (len(cases) + len(unread))

"""Audit: the whole run, from a plan to a report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.joints.baselines import packed
from pipeline.joints.burned_in import with_detector
from pipeline.joints.drift import prove_backend
from pipeline.joints.intake import take_in
from pipeline.joints.manifest import run_id, write_manifest
from pipeline.joints.plan import Plan
from pipeline.joints.results import write_crosswalk
from pipeline.joints.steps import (
    Outcome,
    baseline_maps,
    chosen_cases,
    outcome,
    protocol_of,
    reuse_of,
    tabulated,
    truth_of,
)
from pipeline.joints.stream import work_through
from pipeline.joints.subject import CheckResult, Subject, open_subject, prove
from pipeline.records import Progress
from pipeline.reporting import write_report
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import sweep
from pipeline.store.lock import locked
from pipeline.store.pseudonyms import keep, open_pseudonyms

WORKER_MODULES = ("pipeline.joints.work",)


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
        cases = chosen_cases(plan, intake)
        truth = truth_of(plan, intake, pseudonyms.of, pool)
        reuse = reuse_of(plan, cases, pseudonyms.of, pool)
        maps = baseline_maps(plan, intake, cases, truth, pool)
        priors = packed(maps)
        run = config.out / run_id(plan, subject, cases, truth, hashlib.sha256(priors).hexdigest())
        with locked(run):
            keep(pseudonyms, key)
            sweep(run, (case.case_id for case in cases))
            write_bytes(run / "baselines.npz", priors)
            protocol = protocol_of(run, plan, truth)
            work_through(
                cases,
                subject,
                truth,
                protocol,
                executor=pool,
                batch_size=config.batch_size,
                progress=progress,
            )
            methods = [method.name for method in subject.explainer.methods]
            results = tabulated(run, plan, methods, cases, intake, truth)
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
                reuse=reuse,
            )
            index = write_report(run, write=write_bytes)
    return outcome(index, results, cases, config.policy)


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

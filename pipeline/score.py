"""Score: maps that were computed elsewhere, from a plan to a report. No network, and no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from pipeline.contracts import Executor
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.joints.baselines import packed
from pipeline.joints.brought import Asked, Bringing, Joined, join_heatmaps, lost_brought, score_brought
from pipeline.joints.burned_in import with_detector
from pipeline.joints.intake import Case, take_in
from pipeline.joints.manifest import scoring_id, write_scoring_manifest
from pipeline.joints.results import write_crosswalk
from pipeline.joints.score_plan import ScorePlan, of_any
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
from pipeline.joints.truth import Truth
from pipeline.records import Progress, Skipped
from pipeline.reporting import write_report
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import is_finished, sweep, why_skipped
from pipeline.store.lock import locked
from pipeline.store.pseudonyms import keep, open_pseudonyms

WORKER_MODULES = ("pipeline.joints.brought",)


def score(plan: ScorePlan, *, progress: Callable[[Progress], None] = lambda _: None) -> Outcome:
    """Score in worker processes, to the report."""
    limits = Limits(plan.config.limits.seconds, plan.config.limits.memory_mb)
    with Pool(workers=plan.config.workers, preload=WORKER_MODULES, limits=limits) as pool:
        return score_in(pool, plan, progress=progress)


def score_in(
    executor: Executor, plan: ScorePlan, *, progress: Callable[[Progress], None] = lambda _: None
) -> Outcome:
    """Score where `executor` works. A run that was killed goes on where it stopped, to the same bytes."""
    plan = with_detector(plan)
    config = plan.config
    key = config.out / "pseudonym.key"
    pseudonyms = open_pseudonyms(key)
    intake = take_in(plan.studies, executor=executor, pseudonym=pseudonyms.of)
    chosen = chosen_cases(plan, intake)
    joined = join_heatmaps(plan.items, intake.cases, findings=plan.findings, pseudonym=pseudonyms.of)
    cases = [case for case in chosen if case.case_id in joined.items]
    truth = truth_of(plan, intake, pseudonyms.of, executor)
    reuse = reuse_of(plan, cases, pseudonyms.of, executor)
    priors = packed(baseline_maps(plan, intake, cases, truth, executor))
    run = config.out / scoring_id(plan, cases, truth, hashlib.sha256(priors).hexdigest())
    with locked(run):
        keep(pseudonyms, key)
        sweep(run, (case.case_id for case in cases))
        write_bytes(run / "baselines.npz", priors)
        bringing = Bringing(
            protocol_of(run, plan, truth), plan.findings, of_any(plan), config.heatmaps.operating_point
        )
        _work_through(cases, joined, truth, bringing, executor=executor, progress=progress)
        named = {pseudonyms.of("heatmap", name): name for name, _ in plan.files.problems}
        set_aside = [
            *_bad_files(plan, pseudonyms.of),
            *_of_these(joined, chosen),
            *_without_map(chosen, joined),
        ]
        results = tabulated(run, plan, plan.methods, cases, intake, truth, skipped=set_aside)
        inputs = write_crosswalk(
            run,
            cases,
            intake,
            replace(truth, unknown_words={**truth.unknown_words, **joined.unknown_words}),
            heatmaps=named | joined.names,
        )
        write_scoring_manifest(
            run,
            plan,
            intake=intake,
            cases=chosen,
            truth=truth,
            results=results,
            inputs_sha256=inputs,
            reuse=reuse,
        )
        index = write_report(run, write=write_bytes)
    return outcome(index, results, chosen, config.policy)


def _work_through(
    cases: Sequence[Case],
    joined: Joined,
    truth: Truth,
    bringing: Bringing,
    *,
    executor: Executor,
    progress: Callable[[Progress], None],
) -> None:
    """Score every case that is not yet on disk."""
    run = bringing.protocol.run
    waiting = [case for case in cases if not is_finished(run, case.case_id)]
    asked = [
        Asked(case, joined.items[case.case_id], truth.items.get(case.case_id, ()), truth.labels[case.case_id])
        for case in waiting
    ]
    done = len(cases) - len(waiting)
    again = {case.case_id for case in waiting}
    skipped = sum(why_skipped(run, c.case_id) is not None for c in cases if c.case_id not in again)
    progress(Progress(done, len(cases), skipped))
    work, lost = partial(score_brought, bringing=bringing), partial(lost_brought, bringing=bringing)
    for result in executor.stream(work, asked, lost=lost):
        done += 1
        skipped += result is not None
        progress(Progress(done, len(cases), skipped))


def _bad_files(plan: ScorePlan, pseudonym: Callable[..., str]) -> Iterator[Skipped]:
    for name, error in plan.files.problems:
        yield Skipped(pseudonym("heatmap", name), "heatmaps", error.reason, error.message)


def _of_these(joined: Joined, chosen: Sequence[Case]) -> Iterator[Skipped]:
    """What was set aside, but of images that are not asked for."""
    asked = {case.case_id for case in chosen}
    return (s for s in joined.skipped if s.subject in asked or not s.subject.startswith("case-"))


def _without_map(chosen: Sequence[Case], joined: Joined) -> Iterator[Skipped]:
    """Images that ought to be scored and have no map."""
    for case in chosen:
        if case.case_id not in joined.items:
            message = "there is no map of the image that could be used"
            yield Skipped(case.case_id, "explain", "image_without_heatmap", message)

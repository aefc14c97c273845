"""Tune: `heatproof tune`, which chooses rule, threshold and gate of each finding on a tuning split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.audited_model.loading import load_model
from pipeline.audited_model.self_checks import run_self_checks
from pipeline.cases.burned_in_text import text_search
from pipeline.cases.case import decode_case
from pipeline.cases.protocol import protocol_of
from pipeline.classifiers.devices import in_own_words
from pipeline.cohort.alike_parts import alike_parts
from pipeline.cohort.index import Cohort, index
from pipeline.cohort.leakage import PIXEL_HASH_CACHE, Split, refuse_leakage, tuned_on
from pipeline.cohort.listing import refuse_without_images
from pipeline.cohort.selection import select_cases
from pipeline.contracts import Executor
from pipeline.ground_truth.matching import match
from pipeline.plan import AuditPlan
from pipeline.records import Case, Progress, Skipped
from pipeline.run.first_images import with_first_images
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import Run, ShowProgress, ShowStep, open_run, silent, unsaid, unseen
from pipeline.run.steps import CHECKING, INDEXING, LOADING, reading
from pipeline.run.stream import explain
from pipeline.tuning.choice import ThresholdChoice, choose_thresholds
from pipeline.tuning.sweep import Sweep, SweptCase, candidate_thresholds, sweep_thresholds
from pipeline.tuning.tuned_config import write_tuned
from pipeline.validation.before_run import with_inspection

WORKER_MODULES = ("pipeline.cases.case", "pipeline.tuning.sweep", "pipeline.validation.case")


@dataclass(frozen=True, slots=True)
class Tuning:
    """Result of a tuning run."""

    path: Path
    choices: tuple[ThresholdChoice, ...]
    images: int
    skipped: tuple[Skipped, ...]


def tune(
    plan: AuditPlan,
    out: Path,
    *,
    executor: Executor | None = None,
    progress: ShowProgress = silent,
    notify: ShowNotices = unseen,
    tell: ShowStep = unsaid,
) -> Tuning:
    """Tune and write the tuned config to `out`, on `executor` or else in local worker processes.

    Maps are computed once, and every rule and threshold is tried on them. Burned-in text is blanked if the
    audit does so.
    """
    config = plan.config
    assert config.tuning is not None
    show = partial(open_run, progress=progress, notify=notify, tell=tell)
    with in_own_words(config.device), show(plan, executor, worker_modules=WORKER_MODULES) as run:
        refuse_without_images(plan.studies, run.executor)
        run.tell(LOADING.format(plan.card.name))
        model = load_model(plan, methods=config.methods[:1])
        run.tell(CHECKING)
        run_self_checks(model)
        run.tell(INDEXING.format(plan.studies))
        cohort = index(plan, executor=run.executor, pseudonym=run.pseudonym)
        cases = _tuning_cases(plan, cohort, run)
        model = with_first_images(model, cases, executor=run.executor)
        run.tell(reading(plan.annotations))
        truth = match(plan, cohort, executor=run.executor, pseudonym=run.pseudonym)
        truth = with_inspection(plan, cohort, truth, cases=cases, executor=run.executor)
        alike = alike_parts(plan, cohort, executor=run.executor)
        run.announce(cohort.notices, truth.notices, model.notices, alike)

        own = dict(plan.rules)
        candidates = candidate_thresholds(config.tuning.rules, list(own.values()))
        sweep = Sweep(protocol_of(plan, truth, config.out), model.methods[0], candidates)
        search = text_search(plan) if config.burned_in_text.mask else None
        decoding = partial(decode_case, preprocessing=model.preprocessing, search=search)
        decoded = run.map(decoding, cases, stage="load")
        explained = explain(decoded, model, truth, batch_size=config.batch_size)
        swept = run.map(partial(sweep_thresholds, sweep=sweep), explained, stage="score")
        results = _collect(swept, len(cases), run.progress)

        used = [case for case in results if isinstance(case, SweptCase)]
        choices = tuple(
            choose_thresholds(used, candidates, own, minimum_patients=config.tuning.minimum_patients)
        )
        run.write_key()
        tuned = tuned_on(
            cases,
            sweep.method,
            pseudonym=run.pseudonym,
            executor=run.executor,
            cache=config.out / PIXEL_HASH_CACHE,
        )
        write_tuned(out, config, choices, tuned, tables=plan.tables_folder)
    return Tuning(out, choices, len(cases), tuple(case for case in results if isinstance(case, Skipped)))


def _tuning_cases(plan: AuditPlan, cohort: Cohort, run: Run) -> Sequence[Case]:
    """The images to tune on; ConfigError if a patient or an image is also in the audited split."""
    config = plan.config
    assert config.select is not None
    assert config.tuning is not None
    table = plan.table(config.select)
    cases = select_cases(
        cohort.cases,
        table,
        image=config.select.image,
        where=config.tuning.where,
        join=config.annotations.join or "auto",
        executor=run.executor,
    )
    refuse_leakage(
        Split("select.where", cohort.chosen),
        Split("tuning.where", cases),
        executor=run.executor,
        pixels=config.splits.compare_pixels,
        cache=config.out / PIXEL_HASH_CACHE,
    )
    return cases


def _collect(
    swept: Iterator[SweptCase | Skipped], count: int, progress: ShowProgress
) -> list[SweptCase | Skipped]:
    """All swept cases as a list, reporting progress."""
    skipped = 0
    results = []
    progress(Progress(0, count, 0))
    for done, case in enumerate(swept, start=1):
        skipped += isinstance(case, Skipped)
        progress(Progress(done, count, skipped))
        results.append(case)
    return results

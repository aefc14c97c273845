"""Audit: index → match → decode → classify → explain → draw → score → probe → judge → summarise → report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.audited_model.device import device_facts
from pipeline.audited_model.fastest_backend import fastest
from pipeline.audited_model.loading import AuditedModel, load_model
from pipeline.audited_model.self_checks import self_check
from pipeline.cases.baselines import baseline_maps
from pipeline.cases.case import decode, draw_and_score
from pipeline.classifiers.devices import in_own_words
from pipeline.cohort.alike_parts import alike_parts
from pipeline.cohort.index import index
from pipeline.cohort.leakage import reuse_of
from pipeline.cohort.listing import refuse_without_images
from pipeline.contracts import Executor
from pipeline.ground_truth.exclusive import exclusive_notices
from pipeline.ground_truth.matching import match
from pipeline.plan import AuditPlan
from pipeline.run.attempts import begin_attempt
from pipeline.run.closing import close_run
from pipeline.run.command_line import Word
from pipeline.run.crosswalk import write_crosswalk
from pipeline.run.first_images import with_first_images
from pipeline.run.hosted import explain_where
from pipeline.run.manifest import model_provenance, name_of_audit, write_manifest
from pipeline.run.map_testing import judge_maps
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import ShowProgress, ShowStep, open_run, silent, unsaid, unseen
from pipeline.run.outcome import Outcome, outcome
from pipeline.run.pages import draw_chosen_pages
from pipeline.run.probing import probe
from pipeline.run.resolution import protocol_at_resolution
from pipeline.run.steps import CHECKING, INDEXING, LOADING, READING, UNSCORED
from pipeline.run.tables import summarise
from pipeline.run.worker_modules import WORKER_MODULES
from pipeline.validation.before_run import with_inspection


def audit(
    plan: AuditPlan,
    *,
    model: AuditedModel | None = None,
    executor: Executor | None = None,
    progress: ShowProgress = silent,
    notify: ShowNotices = unseen,
    command: Sequence[Word] = (),
    tell: ShowStep = unsaid,
) -> Outcome:
    """Run the audit of a plan and write its report. Without `executor`, worker processes are started.

    `model` is the plan's, if it is open already; `command` is the command line, for the provenance. Writes
    are atomic. The same call resumes an interrupted run and ends with the same bytes, but for provenance.
    """
    show = partial(open_run, progress=progress, notify=notify, tell=tell)
    with in_own_words(plan.config.device), show(plan, executor, worker_modules=WORKER_MODULES) as run:
        refuse_without_images(plan.studies, run.executor)
        run.tell(LOADING.format(plan.card.name))
        model = model or load_model(plan)
        run.tell(CHECKING)
        checks = self_check(model, plan)
        run.tell(INDEXING)
        cohort = index(plan, executor=run.executor, pseudonym=run.pseudonym)
        model = with_first_images(model, cohort.chosen, executor=run.executor)
        compiled = run.beside(partial(fastest, model, plan, images=len(cohort.chosen)))
        run.tell(READING if plan.annotations else UNSCORED)
        truth = match(plan, cohort, executor=run.executor, pseudonym=run.pseudonym)
        truth = with_inspection(plan, cohort, truth, cases=cohort.chosen, executor=run.executor)
        of_card = exclusive_notices(truth.labels.values(), plan.findings, activation=plan.card.activation)
        run.announce(cohort.notices, truth.notices, model.notices, of_card)
        reuse = reuse_of(plan, cohort.chosen, executor=run.executor, pseudonym=run.pseudonym)
        baselines = baseline_maps(plan, cohort, truth, executor=run.executor)
        run.announce(alike_parts(plan, cohort, executor=run.executor))
        model, drift = compiled.result()

        run.begin(name_of_audit(plan, model, cohort.chosen, truth, baselines), baselines)
        begin_attempt(run, plan, command, device_facts(model))
        protocol = protocol_at_resolution(plan, run, model, truth, cohort.chosen)
        pending = run.pending(cohort.chosen, batch_size=plan.config.batch_size)
        decoded = run.map(decode(protocol, model.preprocessing), pending, stage="load")
        explained = explain_where(run.hosts, decoded, model, truth, plan=plan)
        run.finish(explained, draw_and_score(protocol))
        unprobed = probe(plan, run, cohort.chosen, truth, model)
        unjudged = judge_maps(plan, run, cohort.chosen, truth, model, baselines)
        results = summarise(
            plan,
            run,
            cohort,
            truth,
            cases=cohort.chosen,
            methods=model.methods,
            skipped=tuple(dict.fromkeys((*unprobed, *unjudged))),
            read_attributes=plan.config.probes == "full",
        )
        inputs = write_crosswalk(run.folder, cohort, truth, audited=cohort.chosen, names=run.names)
        provenance = model_provenance(plan, model, [*checks, *drift])
        write_manifest(plan, run, provenance, cohort, truth, results, inputs_sha256=inputs, reuse=reuse)
        surveyed = draw_chosen_pages(plan, run, cohort.chosen, truth, protocol, model.preprocessing.window)
        return outcome(close_run(run.folder, surveyed), results, cohort.chosen, plan.config.policy)

"""Score: maps computed elsewhere, from plan to report, without a network and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.cases.baselines import baseline_maps
from pipeline.cases.case import decode
from pipeline.cases.protocol import protocol_of
from pipeline.cohort.alike_parts import alike_parts
from pipeline.cohort.index import index
from pipeline.cohort.leakage import reuse_of
from pipeline.contracts import Executor
from pipeline.external_maps.case import draw_and_score_maps, with_maps
from pipeline.external_maps.matching import match_maps
from pipeline.external_maps.plan import WORKER_MODULES, ScorePlan
from pipeline.ground_truth.matching import match
from pipeline.run.attempts import begin_attempt
from pipeline.run.closing import close_run
from pipeline.run.command_line import Word
from pipeline.run.crosswalk import write_crosswalk
from pipeline.run.decoders import decoder_notices
from pipeline.run.manifest import maps_provenance, name_of_scoring, write_manifest
from pipeline.run.notices import ShowNotices
from pipeline.run.opening import ShowProgress, ShowStep, open_run, silent, unsaid, unseen
from pipeline.run.outcome import Outcome, outcome
from pipeline.run.pages import draw_chosen_pages
from pipeline.run.steps import INDEXING, MATCHING, READING
from pipeline.run.tables import summarise
from pipeline.validation.before_run import with_inspection


def score(
    plan: ScorePlan,
    *,
    executor: Executor | None = None,
    progress: ShowProgress = silent,
    notify: ShowNotices = unseen,
    command: Sequence[Word] = (),
    tell: ShowStep = unsaid,
) -> Outcome:
    """Score external maps and write the report. Without `executor`, worker processes are started.

    `command` is the command line, for the provenance. Writes are atomic. The same call resumes an interrupted
    run and ends with the same bytes, but for provenance.
    """
    show = partial(open_run, progress=progress, notify=notify, tell=tell)
    with show(plan, executor, worker_modules=WORKER_MODULES) as run:
        run.tell(INDEXING)
        cohort = index(plan, executor=run.executor, pseudonym=run.pseudonym)
        run.tell(MATCHING.format(len(plan.items)))
        maps = match_maps(plan, cohort, pseudonym=run.pseudonym)
        run.tell(READING)
        truth = match(plan, cohort, executor=run.executor, pseudonym=run.pseudonym)
        truth = with_inspection(plan, cohort, truth, cases=maps.cases, executor=run.executor)
        run.announce(cohort.notices, truth.notices)
        run.announce(decoder_notices(maps.cases, executor=run.executor))
        reuse = reuse_of(plan, maps.cases, executor=run.executor, pseudonym=run.pseudonym)
        baselines = baseline_maps(plan, cohort, truth, audited=maps.cases, executor=run.executor)
        run.announce(alike_parts(plan, cohort, audited=maps.cases, executor=run.executor))

        run.begin(name_of_scoring(plan, maps.cases, truth, baselines), baselines)
        begin_attempt(run, plan, command, {})
        protocol = protocol_of(plan, truth, run.folder, images=len(maps.cases))
        decoded = run.map(decode(protocol), run.pending(maps.cases), stage="load")
        run.finish(with_maps(decoded, maps, truth), draw_and_score_maps(plan, protocol))

        results = summarise(
            plan, run, cohort, truth, cases=maps.cases, methods=plan.methods, skipped=maps.skipped
        )
        inputs = write_crosswalk(
            run.folder,
            cohort,
            truth,
            audited=maps.cases,
            words=maps.unknown_words,
            heatmaps=maps.names,
            names=run.names,
        )
        provenance = maps_provenance(plan)
        write_manifest(plan, run, provenance, cohort, truth, results, inputs_sha256=inputs, reuse=reuse)
        page = close_run(run.folder, draw_chosen_pages(plan, run, maps.cases, truth, protocol))
    return outcome(page, results, cohort.chosen, plan.config.policy)

"""Tune: rules, thresholds and gates, chosen on images that no audit scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.attribution.replicas import side_by_side
from pipeline.contracts import Executor, Loss
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.joints.burned_in import text_search, with_detector
from pipeline.joints.choosing import Chosen, choose
from pipeline.joints.drawn import Explained
from pipeline.joints.intake import Case, Intake, take_in
from pipeline.joints.losses import loss_message
from pipeline.joints.plan import Plan
from pipeline.joints.selection import selected
from pipeline.joints.splits import KEPT, Split, check_apart, pixel_hashes
from pipeline.joints.steps import chosen_cases, protocol_of, truth_of
from pipeline.joints.stream import explain
from pipeline.joints.subject import open_subject, prove
from pipeline.joints.trying import Tried, Trying, candidates_of, try_cuts
from pipeline.joints.tuned import tuned_of, write_tuned
from pipeline.joints.work import load_case
from pipeline.records import Progress, Skipped
from pipeline.store.pseudonyms import keep, open_pseudonyms

WORKER_MODULES = ("pipeline.joints.work", "pipeline.joints.trying")


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a tuning came to."""

    path: Path
    chosen: tuple[Chosen, ...]
    images: int
    skipped: tuple[Skipped, ...]


def tune(plan: Plan, out: Path, *, progress: Callable[[Progress], None] = lambda _: None) -> Tuning:
    """Tune in worker processes, to the config in `out`."""
    limits = Limits(plan.config.limits.seconds, plan.config.limits.memory_mb)
    with Pool(workers=plan.config.workers, preload=WORKER_MODULES, limits=limits) as pool:
        return tune_in(pool, plan, out, progress=progress)


def tune_in(
    executor: Executor, plan: Plan, out: Path, *, progress: Callable[[Progress], None] = lambda _: None
) -> Tuning:
    """Tune where `executor` works. Maps are computed once, every rule and threshold is tried on them.

    Where an audit blanks burned-in text, the network sees none of it here either.
    """
    config = plan.config
    search = text_search(with_detector(plan)) if config.burned_in_text.mask else None
    key = config.out / "pseudonym.key"
    pseudonyms = open_pseudonyms(key)
    subject = open_subject(
        plan.card_path,
        weights=config.weights,
        allow_pickle=config.allow_pickle_weights,
        device=config.device,
        precision=config.precision,
        methods=config.methods[:1],
        memory_mb=config.memory_mb,
        backend=config.backend,
    )
    prove(subject)
    intake = take_in(plan.studies, executor=executor, pseudonym=pseudonyms.of)
    cases = _tuning_cases(plan, intake, executor)
    truth = truth_of(plan, intake, pseudonyms.of, executor)
    protocol = protocol_of(config.out, plan, truth)
    own = {finding: protocol.cut_of(finding) for finding in plan.findings}
    assert config.tuning is not None
    candidates = candidates_of(config.tuning.rules, list(own.values()))
    trying = Trying(protocol, subject.explainer.methods[0].name, candidates)
    batches = [cases[start : start + config.batch_size] for start in range(0, len(cases), config.batch_size)]
    load = partial(load_case, run=None, search=search)
    with side_by_side(subject.explainer) as explainers:
        subjects = [replace(subject, explainer=explainer) for explainer in explainers]
        explained = explain(batches, subjects, truth, executor=executor, size=config.batch_size, load=load)
        found = list(_tried(explained, trying, len(cases), executor=executor, progress=progress))
    tried = [one for one in found if isinstance(one, Tried)]
    chosen = tuple(choose(tried, candidates, own, minimum_patients=config.tuning.minimum_patients))
    keep(pseudonyms, key)
    hashes = pixel_hashes(cases, executor, kept=config.out / KEPT)
    write_tuned(out, config, chosen, tuned_of(cases, trying.method, pseudonyms.of, hashes))
    return Tuning(out, chosen, len(cases), tuple(one for one in found if isinstance(one, Skipped)))


def _tuning_cases(plan: Plan, intake: Intake, executor: Executor) -> list[Case]:
    """The images to tune on; ConfigError where the images to audit have a patient or picture among them."""
    config = plan.config
    assert config.select is not None
    assert config.tuning is not None
    cases = selected(
        intake.cases, plan.table(config.select), image=config.select.image, where=config.tuning.where
    )
    check_apart(
        Split("select.where", chosen_cases(plan, intake)),
        Split("tuning.where", cases),
        executor=executor,
        pixels=config.splits.compare_pixels,
        kept=config.out / KEPT,
    )
    return cases


def _tried(
    explained: Iterable[Explained | Skipped],
    trying: Trying,
    count: int,
    *,
    executor: Executor,
    progress: Callable[[Progress], None],
) -> Iterator[Tried | Skipped]:
    """What each of `count` images tells, in order."""
    skipped = 0

    def lost(work: Explained | Skipped, why: Loss) -> Tried | Skipped:
        case_id = work.subject if isinstance(work, Skipped) else work.loaded.case.case_id
        return Skipped(case_id, "score", why, loss_message("scoring", why))

    progress(Progress(0, count, 0))
    found = executor.stream(partial(try_cuts, trying=trying), explained, lost=lost)
    for done, one in enumerate(found, start=1):
        skipped += isinstance(one, Skipped)
        progress(Progress(done, count, skipped))
        yield one

"""Audit: the whole run, from a plan to a report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import __version__
from pipeline.contracts import Executor
from pipeline.executors.pool import Pool
from pipeline.geometry import resized
from pipeline.joints.baselines import CENTER, LOCATION, center_maps, location_maps, write_baselines
from pipeline.joints.intake import NOT_IMAGES, Case, Intake, digest, take_in
from pipeline.joints.plan import Plan
from pipeline.joints.results import (
    Results,
    metrics_manifest,
    tabulate,
    versions,
    write_crosswalk,
    write_manifest,
)
from pipeline.joints.selection import selected
from pipeline.joints.subject import CheckResult, Subject, open_subject, prove
from pipeline.joints.truth import Truth, gather
from pipeline.joints.work import Explained, Loaded, Protocol, finish_case, load_case
from pipeline.records import Heatmap, ModelInput, Progress, Skipped
from pipeline.reporting import write_report
from pipeline.store.cases import is_finished
from pipeline.store.lock import locked
from pipeline.store.pseudonyms import keep, open_pseudonyms

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
    config = plan.config
    key = config.out / "pseudonym.key"
    pseudonyms = open_pseudonyms(key)
    with Pool(workers=config.workers, preload=WORKER_MODULES) as pool:
        intake = take_in(plan.studies, executor=pool, pseudonym=pseudonyms.of)
        cases = _selected(plan, intake)
        truth = _truth(plan, intake, pseudonyms.of)
        subject = _subject(plan)
        checks = prove(subject)
        maps = _baselines(plan, intake, cases, truth, pool)
        run = config.out / _run_id(plan, subject, cases, truth)
        with locked(run):
            keep(pseudonyms, key)
            write_baselines(run, maps)
            protocol = _protocol(run, plan, truth, maps)
            _work(cases, plan, subject, truth, protocol, executor=pool, progress=progress)
            results = _tabulate(run, plan, cases, intake, truth)
            write_crosswalk(run, intake, truth, results.hashes)
            manifest = _manifest(
                run, plan, subject, intake=intake, cases=cases, truth=truth, checks=checks, results=results
            )
            write_manifest(run, manifest)
            index = write_report(run)
    missed = _missed_share(cases, results)
    return Outcome(index, results, len(cases), missed, passed=missed <= config.policy.max_skipped)


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
    )


def _baselines(
    plan: Plan, intake: Intake, cases: Sequence[Case], truth: Truth, executor: Executor
) -> dict[str, np.ndarray]:
    """The baselines' maps; the location prior is made of images that are not audited, or of none."""
    baselines, findings = plan.config.baselines, plan.card.findings
    maps = center_maps(findings) if baselines.center_prior else {}
    if baselines.location_prior and plan.config.select:
        select = plan.config.select
        others = selected(
            intake.cases, plan.table(select), image=select.image, where=baselines.location_prior.where
        )
        audited = {case.patient_id for case in cases}
        others = [case for case in others if case.patient_id not in audited]
        maps |= location_maps(others, truth, findings=findings, executor=executor)
    return maps


def _protocol(run: Path, plan: Plan, truth: Truth, maps: dict[str, np.ndarray]) -> Protocol:
    contours = plan.config.contours
    return Protocol(
        run=run,
        rule=contours.rule,
        threshold=contours.threshold,
        gate=contours.gate,
        minimum_area_px=contours.minimum_area_px,
        minimum_area_mm2=contours.minimum_area_mm2,
        kind=truth.kind,
        negative_reader=truth.reader,
        baselines=tuple(dict.fromkeys(key.partition("/")[0] for key in maps)),
    )


def _work(
    cases: Sequence[Case],
    plan: Plan,
    subject: Subject,
    truth: Truth,
    protocol: Protocol,
    *,
    executor: Executor,
    progress: Callable[[Progress], None],
) -> None:
    """Audit every case that is not yet on disk.

    Batches are fixed by the sorted cases, and done whole or again: a network's output depends in its last
    bits on the size of its batch.
    """
    size = plan.config.batch_size
    batches = [cases[start : start + size] for start in range(0, len(cases), size)]
    waiting = [b for b in batches if not all(is_finished(protocol.run, case.case_id) for case in b)]
    done = len(cases) - sum(map(len, waiting))
    skipped = 0
    progress(Progress(done, len(cases), skipped))
    for result in _finished(waiting, subject, truth, protocol, executor=executor, size=size):
        done += 1
        skipped += result is not None
        progress(Progress(done, len(cases), skipped))


def _finished(
    batches: Sequence[Sequence[Case]],
    subject: Subject,
    truth: Truth,
    protocol: Protocol,
    *,
    executor: Executor,
    size: int,
) -> Iterator[Skipped | None]:
    """The stream: decode (pool) → classify and explain (here) → contours, scores and store (pool)."""
    preprocessing = subject.classifier.card.preprocessing
    load = partial(load_case, preprocessing=preprocessing, run=protocol.run)
    finish = partial(finish_case, protocol=protocol)

    def lost_in_loading(case: Case) -> Loaded | Skipped:
        return Skipped(case.case_id, "load", "worker_died", "decoding ended the process that did it")

    def lost_in_finishing(work: Explained | Skipped) -> Skipped | None:
        subject = work.subject if isinstance(work, Skipped) else work.loaded.case.case_id
        return finish(Skipped(subject, "score", "worker_died", "scoring ended the process that did it"))

    cases = [case for batch in batches for case in batch]
    loaded = executor.stream(load, cases, lost=lost_in_loading)
    explained = (
        work
        for batch in batches
        for work in _explained(list(islice(loaded, len(batch))), subject, truth, size)
    )
    return executor.stream(finish, explained, lost=lost_in_finishing)


def _explained(
    batch: Sequence[Loaded | Skipped], subject: Subject, truth: Truth, size: int
) -> Iterator[Explained | Skipped]:
    """One batch through the network; an image that was set aside leaves its place dark."""
    there = [item.model_input for item in batch if isinstance(item, Loaded)]
    if not there:
        yield from (item for item in batch if isinstance(item, Skipped))
        return
    dark = ModelInput("", np.zeros_like(there[0].tensor), there[0].placement)
    inputs = [item.model_input if isinstance(item, Loaded) else dark for item in batch]
    explanation = subject.explainer.explain(subject.classifier.tensor(inputs, batch_size=size))
    for row, item in enumerate(batch):
        if isinstance(item, Skipped):
            yield item
            continue
        case_id = item.case.case_id
        if not all(np.isfinite(a[row]).all() for a in (explanation.logits, *explanation.maps.values())):
            yield Skipped(
                case_id, "explain", "not_finite", "the network's output for the image is not finite"
            )
            continue
        yield Explained(
            loaded=item,
            predictions=tuple(subject.classifier.predictions([case_id], explanation.logits[row : row + 1])),
            heatmaps=tuple(_heatmaps(item, subject, {m: maps[row] for m, maps in explanation.maps.items()})),
            items=truth.items.get(case_id, ()),
            labels=truth.labels[case_id],
        )


def _heatmaps(loaded: Loaded, subject: Subject, maps: dict[str, np.ndarray]) -> Iterator[Heatmap]:
    for method in subject.explainer.methods:
        for finding, relevance in zip(subject.classifier.findings, maps[method.name], strict=True):
            rows, columns = relevance.shape
            yield Heatmap(
                case_id=loaded.case.case_id,
                finding=finding,
                method=method.name,
                relevance=relevance,
                unit=subject.explainer.unit(method),
                placement=resized(loaded.model_input.placement, (rows, columns)),
            )


def _tabulate(run: Path, plan: Plan, cases: Sequence[Case], intake: Intake, truth: Truth) -> Results:
    statistics = plan.config.statistics
    audited = {case.case_id for case in cases}
    return tabulate(
        run,
        cases,
        findings=plan.card.findings,
        skipped=[
            *intake.skipped,
            *(s for s in truth.skipped if s.subject in audited or not s.subject.startswith("case-")),
        ],
        replicates=statistics.replicates,
        confidence=statistics.confidence,
        seed=statistics.seed,
    )


def _missed_share(cases: Sequence[Case], results: Results) -> float:
    missed = {s.subject for s in results.skipped if s.stage in {"load", "explain", "score"}}
    unread = {s.subject for s in results.skipped if s.stage == "index" and s.reason not in NOT_IMAGES}
    return len(missed | unread) / (len(cases) + len(unread))


def _settings(plan: Plan) -> dict[str, Any]:
    """The config without the places of its inputs, which say nothing about the result and may name people."""
    places = {"studies": True, "model": True, "weights": True, "out": True, "workers": True}
    return plan.config.model_dump(mode="json", exclude={**places, "annotations": {"path"}})


def _run_id(plan: Plan, subject: Subject, cases: Sequence[Case], truth: Truth) -> str:
    """The model's name and a hash of all that a result depends on: the same run, the same folder."""
    facts = [
        __version__,
        _settings(plan),
        plan.card.model_dump(mode="json", by_alias=True),
        subject.classifier.weights_sha256,
        digest(cases),
        truth.sha256,
    ]
    text = json.dumps(facts, sort_keys=True)
    return f"{plan.card.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _manifest(
    run: Path,
    plan: Plan,
    subject: Subject,
    *,
    intake: Intake,
    cases: Sequence[Case],
    truth: Truth,
    checks: Sequence[CheckResult],
    results: Results,
) -> dict[str, Any]:
    """Everything needed to run it again, and to read its tables."""
    config = plan.config
    hashes = sorted(results.hashes.values())
    methods = [
        {"name": m.name, "kind": "network", "layer": subject.explainer.targets[m.layer].call.module,
         "unit": subject.explainer.unit(m)}
        for m in subject.explainer.methods
    ]  # fmt: skip
    baselines = [
        {"name": name, "kind": "baseline", "layer": "", "unit": "relative"}
        for name, used in (
            (CENTER, config.baselines.center_prior),
            (LOCATION, config.baselines.location_prior),
        )
        if used
    ]
    return {
        "run_id": run.name,
        "created": datetime.now(tz=UTC).date().isoformat(),
        "version": __version__,
        "title": config.title,
        "findings": list(plan.card.findings),
        "methods": methods + baselines,
        "config": _settings(plan),
        "card": plan.card.model_dump(mode="json", by_alias=True),
        "weights_sha256": subject.classifier.weights_sha256,
        "studies": {
            "files": intake.files,
            "images": len(intake.cases),
            "selected": len(cases),
            "audited": len(results.hashes),
            "sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
        },
        "annotations_sha256": truth.sha256,
        "device": str(subject.classifier.device),
        "precision": config.precision,
        "versions": versions(),
        "checks": [{**asdict(check), "passed": True} for check in checks],
        "contours": config.contours.model_dump(mode="json"),
        "statistics": config.statistics.model_dump(mode="json"),
        "metrics": metrics_manifest(),
    }

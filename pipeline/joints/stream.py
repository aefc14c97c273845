"""Stream: cases → decode → batch → classify and explain → contours, scores and store, with bounded queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np

from pipeline.contracts import Executor
from pipeline.geometry import resized
from pipeline.joints.intake import Case
from pipeline.joints.subject import Subject
from pipeline.joints.truth import Truth
from pipeline.joints.work import Explained, Loaded, Protocol, finish_case, load_case
from pipeline.records import Heatmap, Intensity, ModelInput, Progress, Skipped
from pipeline.store.cases import is_finished, why_skipped

NOTHING = np.zeros((0, 0, 0), np.float32)


def work_through(
    cases: Sequence[Case],
    subject: Subject,
    truth: Truth,
    protocol: Protocol,
    *,
    executor: Executor,
    batch_size: int,
    progress: Callable[[Progress], None],
) -> None:
    """Audit every case that is not yet on disk.

    Batches are fixed by the sorted cases, and done whole or again: a network's output depends in its last
    bits on the size of its batch.
    """
    size = batch_size
    batches = [cases[start : start + size] for start in range(0, len(cases), size)]
    waiting = [b for b in batches if not all(is_finished(protocol.run, case.case_id) for case in b)]
    again = {case.case_id for batch in waiting for case in batch}
    done = len(cases) - len(again)
    skipped = sum(why_skipped(protocol.run, c.case_id) is not None for c in cases if c.case_id not in again)
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
        case_id = work.subject if isinstance(work, Skipped) else work.loaded.case.case_id
        return finish(Skipped(case_id, "score", "worker_died", "scoring ended the process that did it"))

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
            loaded=replace(item, model_input=replace(item.model_input, tensor=NOTHING)),
            predictions=tuple(subject.classifier.predictions([case_id], explanation.logits[row : row + 1])),
            heatmaps=tuple(_heatmaps(item, subject, {m: maps[row] for m, maps in explanation.maps.items()})),
            items=truth.items.get(case_id, ()),
            labels=truth.labels[case_id],
        )


def _heatmaps(loaded: Loaded, subject: Subject, maps: Mapping[str, Intensity]) -> Iterator[Heatmap]:
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

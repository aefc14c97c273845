"""Stream: cases → decode → batch → classify and explain → contours, scores and store, with bounded queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from queue import SimpleQueue
from typing import TypeAlias

import numpy as np

from pipeline.attribution.replicas import side_by_side
from pipeline.contracts import Executor, Loss
from pipeline.geometry import resized
from pipeline.joints.baselines import CONTRAST
from pipeline.joints.drawn import Explained, Loaded, Protocol
from pipeline.joints.intake import Case
from pipeline.joints.losses import loss_message
from pipeline.joints.subject import Subject
from pipeline.joints.truth import Truth
from pipeline.joints.work import finish_case, load_case
from pipeline.records import Heatmap, Intensity, ModelInput, Progress, Skipped
from pipeline.store.cases import is_finished, why_skipped

Batch: TypeAlias = Sequence[Loaded | Skipped]

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
    with side_by_side(subject.explainer) as explainers:
        subjects = [replace(subject, explainer=explainer) for explainer in explainers]
        for result in _finished(waiting, subjects, truth, protocol, executor=executor, size=size):
            done += 1
            skipped += result is not None
            progress(Progress(done, len(cases), skipped))


def _finished(
    batches: Sequence[Sequence[Case]],
    subjects: Sequence[Subject],
    truth: Truth,
    protocol: Protocol,
    *,
    executor: Executor,
    size: int,
) -> Iterator[Skipped | None]:
    """The stream: decode (pool) → classify and explain (here) → contours, scores and store (pool)."""
    load = partial(
        load_case,
        run=protocol.run,
        contrast=CONTRAST in protocol.baselines,
        search=protocol.search,
    )
    finish = partial(finish_case, protocol=protocol)

    def lost_in_finishing(work: Explained | Skipped, why: Loss) -> Skipped | None:
        case_id = work.subject if isinstance(work, Skipped) else work.loaded.case.case_id
        return finish(Skipped(case_id, "score", why, loss_message("scoring", why)))

    explained = explain(batches, subjects, truth, executor=executor, size=size, load=load)
    return executor.stream(finish, explained, lost=lost_in_finishing)


def explain(
    batches: Sequence[Sequence[Case]],
    subjects: Sequence[Subject],
    truth: Truth,
    *,
    executor: Executor,
    size: int,
    load: Callable[..., Loaded | Skipped],
) -> Iterator[Explained | Skipped]:
    """Every case decoded by `load` (pool), classified and explained (here), in order."""
    load = partial(load, preprocessing=subjects[0].classifier.card.preprocessing)

    def lost_in_loading(case: Case, why: Loss) -> Loaded | Skipped:
        return Skipped(case.case_id, "load", why, loss_message("decoding", why))

    cases = [case for batch in batches for case in batch]
    loaded = executor.stream(load, cases, lost=lost_in_loading)
    ready = (list(islice(loaded, len(batch))) for batch in batches)
    return chain.from_iterable(_side_by_side(subjects, ready, truth, size))


def _side_by_side(
    subjects: Sequence[Subject], batches: Iterable[Batch], truth: Truth, size: int
) -> Iterator[list[Explained | Skipped]]:
    """The batches explained, in their order; each subject has one batch at a time, in a thread of its own."""
    free: SimpleQueue[Subject] = SimpleQueue()
    for subject in subjects:
        free.put(subject)

    def explained(batch: Batch) -> list[Explained | Skipped]:
        subject = free.get()
        try:
            return list(_explained(batch, subject, truth, size))
        finally:
            free.put(subject)

    under_way: deque[Future[list[Explained | Skipped]]] = deque()
    with ThreadPoolExecutor(len(subjects)) as threads:
        try:
            for batch in batches:
                under_way.append(threads.submit(explained, batch))
                if len(under_way) > len(subjects):
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:  # where the run is interrupted
                future.cancel()


def _explained(batch: Batch, subject: Subject, truth: Truth, size: int) -> Iterator[Explained | Skipped]:
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
            findings=subject.classifier.findings,
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

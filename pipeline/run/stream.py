"""Stream: decoded images → batches → logits and maps of every finding."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from queue import SimpleQueue
from typing import TypeAlias

import numpy as np

from pipeline.attribution.replicas import side_by_side
from pipeline.audited_model.first_outputs import why_no_probability
from pipeline.audited_model.loading import AuditedModel
from pipeline.cases.case import NO_TENSOR
from pipeline.contracts import Explanation
from pipeline.errors import CheckError
from pipeline.geometry import placed
from pipeline.ground_truth.matching import Truth
from pipeline.records import Caution, DecodedCase, ExplainedCase, Heatmap, ModelInput, Skipped

Batch: TypeAlias = Sequence[DecodedCase | Skipped]


def explain(
    decoded: Iterable[DecodedCase | Skipped], model: AuditedModel, truth: Truth, *, batch_size: int
) -> Iterator[ExplainedCase | Skipped]:
    """Classify and explain the decoded cases in this process, in order, batch by batch."""
    with copies_of(model) as models:
        yield from explain_by(models, decoded, truth, batch_size=batch_size)


@contextmanager
def copies_of(model: AuditedModel) -> Iterator[Sequence[AuditedModel]]:
    """The copies of a model that explain batches in parallel; see `side_by_side`."""
    with side_by_side(model.explainer) as explainers:
        yield [replace(model, explainer=explainer) for explainer in explainers]


def explain_by(
    models: Sequence[AuditedModel],
    decoded: Iterable[DecodedCase | Skipped],
    truth: Truth,
    *,
    batch_size: int,
) -> Iterator[ExplainedCase | Skipped]:
    """`explain` by copies of a model that are there already."""
    yield from chain.from_iterable(_side_by_side(models, _batches(decoded, batch_size), truth, batch_size))


def _batches(decoded: Iterable[DecodedCase | Skipped], size: int) -> Iterator[Batch]:
    items = iter(decoded)
    while batch := list(islice(items, size)):
        yield batch


def _side_by_side(
    models: Sequence[AuditedModel], batches: Iterable[Batch], truth: Truth, size: int
) -> Iterator[list[ExplainedCase | Skipped]]:
    """Explained batches, in order; each model copy handles one batch at a time in its own thread."""
    free: SimpleQueue[AuditedModel] = SimpleQueue()
    for model in models:
        free.put(model)

    def explained(batch: Batch) -> list[ExplainedCase | Skipped]:
        model = free.get()
        try:
            return list(_explained(batch, model, truth, size))
        finally:
            free.put(model)

    running: deque[Future[list[ExplainedCase | Skipped]]] = deque()
    with ThreadPoolExecutor(len(models)) as threads:
        try:
            for batch in batches:
                running.append(threads.submit(explained, batch))
                if len(running) > len(models):
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:  # only if the run is interrupted
                future.cancel()


def _explained(
    batch: Batch, model: AuditedModel, truth: Truth, size: int
) -> Iterator[ExplainedCase | Skipped]:
    """One explained batch; a skipped image is replaced by zeros so that the batch keeps its size."""
    readable = [item.model_input for item in batch if isinstance(item, DecodedCase)]
    if not readable:
        yield from (item for item in batch if isinstance(item, Skipped))
        return
    zeros = ModelInput("", np.zeros_like(readable[0].tensor), readable[0].placement)
    inputs = [item.model_input if isinstance(item, DecodedCase) else zeros for item in batch]
    explanation = model.explainer.explain(model.classifier.tensor(inputs, batch_size=size))
    for row, item in enumerate(batch):
        if isinstance(item, Skipped):
            yield item
            continue
        case_id = item.case_id
        if not all(np.isfinite(a[row]).all() for a in (explanation.logits, *explanation.maps.values())):
            message = "the network returned NaN or infinity; check the image and the preprocessing"
            yield Skipped(case_id, "explain", "not_finite", message)
            continue
        if model.classifier.card.activation == "none" and (
            why := why_no_probability(explanation.logits[row])
        ):
            raise CheckError(why)
        yield ExplainedCase(
            decoded=replace(
                item,
                model_input=replace(item.model_input, tensor=NO_TENSOR),
                cautions=(*item.cautions, *_empty_maps(model, explanation, row)),
            ),
            predictions=tuple(model.classifier.predictions([case_id], explanation.logits[row : row + 1])),
            heatmaps=tuple(_heatmaps(item, model, explanation, row)),
            items=truth.items.get(case_id, ()),
            labels=truth.labels[case_id],
            findings=model.classifier.findings,
        )


def _empty_maps(model: AuditedModel, explanation: Explanation, row: int) -> Iterator[Caution]:
    """A caution for each method that gives a map of zeros where it measures the output's dependence."""
    for method in model.explainer.methods:
        maps = explanation.maps[method.name][row]
        empty = sum(not relevance.any() for relevance in maps)
        if empty and method.method.unit != "relative":
            yield Caution(
                "empty_map",
                f"{empty} of {len(maps)} maps of {method.name} are 0 everywhere: on this image the output "
                "does not depend on what the method reads",
            )


def _heatmaps(
    decoded: DecodedCase, model: AuditedModel, explanation: Explanation, row: int
) -> Iterator[Heatmap]:
    """The heatmaps of one image of a batch."""
    for method in model.explainer.methods:
        placement = placed(decoded.model_input.placement, explanation.cells[method.name])
        maps = explanation.maps[method.name][row]
        for finding, relevance in zip(model.classifier.findings, maps, strict=True):
            yield Heatmap(
                case_id=decoded.case_id,
                finding=finding,
                method=method.name,
                relevance=relevance,
                unit=model.explainer.unit(method),
                placement=placement,
            )

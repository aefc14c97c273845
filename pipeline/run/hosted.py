"""Hosted: decoded images → logits and maps of every finding, in this process or on the hosts of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TypeAlias

from pipeline.audited_model.loading import AuditedModel
from pipeline.audited_model.twin import Twin, open_twin, twin_of
from pipeline.classifiers.devices import in_own_words
from pipeline.contracts import Hosts
from pipeline.ground_truth.matching import Truth
from pipeline.plan import AuditPlan
from pipeline.records import DecodedCase, ExplainedCase, Skipped
from pipeline.run.stream import copies_of, explain, explain_by

BATCHES = 4
"""Batches that a host gets at once."""
Group: TypeAlias = tuple[Sequence[DecodedCase | Skipped], Truth]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a host keeps for its groups."""

    models: Sequence[AuditedModel]
    """Copies of the model, made once: that takes as long as explaining two images."""
    resources: ExitStack
    """What gives each copy its share of torch's threads."""


def explain_where(
    hosts: Hosts | None,
    decoded: Iterable[DecodedCase | Skipped],
    model: AuditedModel,
    truth: Truth,
    *,
    plan: AuditPlan,
) -> Iterator[ExplainedCase | Skipped]:
    """`explain` in this process, or on hosts: there by twins of the model, in the same batches."""
    size = plan.config.batch_size
    if hosts is None:
        yield from explain(decoded, model, truth, batch_size=size)
        return
    device = plan.config.device
    groups = hosts.hosted(
        partial(_opened, twin_of(model, plan)),
        partial(_explained, batch_size=size, device=device),
        _groups(decoded, truth, size * BATCHES),
        gpus=device.startswith("cuda"),
    )
    yield from chain.from_iterable(groups)


def _groups(decoded: Iterable[DecodedCase | Skipped], truth: Truth, size: int) -> Iterator[Group]:
    """Images with what is known of them alone: a host needs no other's annotations."""
    items = iter(decoded)
    while group := list(islice(items, size)):
        ids = [item.case_id for item in group if isinstance(item, DecodedCase)]
        yield (
            group,
            replace(
                truth,
                items={of: truth.items[of] for of in ids if of in truth.items},
                labels={of: truth.labels[of] for of in ids if of in truth.labels},
                skipped=(),
                skipped_images={},
                unjoined=(),
                unread=(),
                unread_files={},
                inputs=None,
                notices=(),
            ),
        )


def _opened(twin: Twin) -> Kept:
    """In a host, which computes nothing else: the copies stay until it ends."""
    kept = ExitStack()
    return Kept(kept.enter_context(copies_of(open_twin(twin))), kept)


def _explained(kept: Kept, group: Group, *, batch_size: int, device: str) -> list[ExplainedCase | Skipped]:
    with in_own_words(device):
        return list(explain_by(kept.models, group[0], group[1], batch_size=batch_size))

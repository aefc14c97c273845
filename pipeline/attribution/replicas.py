"""Replicas: copies of an explainer, so that several batches are explained in parallel.

Threads that share one batch wait for each other at every layer, so one core taken by a worker process delays
them all. Two batches with half of the threads each are as fast on an idle machine, and faster while worker
processes run.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from pipeline.attribution.explainer import Explainer

COUNT = 2
"""Number of batches explained in parallel; each has its own activations in memory."""


@contextmanager
def side_by_side(explainer: Explainer) -> Iterator[tuple[Explainer, ...]]:
    """Copies of the explainer, one per thread of this process; a single one if copies are not faster.

    Inside `with`, each copy has an equal share of torch's threads and of the memory bound.
    """
    threads = torch.get_num_threads()
    if threads < COUNT or not _is_faster(explainer):
        yield (explainer,)
        return
    torch.set_num_threads(threads // COUNT)
    try:
        yield tuple(copy.deepcopy(_with_memory_share(explainer)) for _ in range(COUNT))
    finally:
        torch.set_num_threads(threads)


def _is_faster(explainer: Explainer) -> bool:
    """Whether copies help: not on a GPU, which has one queue, nor if a backend uses all cores itself."""
    on_cpu = all(p.device.type == "cpu" for p in explainer.engine.network.parameters())
    return on_cpu and type(explainer) is Explainer


def _with_memory_share(explainer: Explainer) -> Explainer:
    memory = explainer.engine.memory
    return replace(
        explainer,
        engine=replace(explainer.engine, memory=replace(memory, bound_mb=memory.bound_mb / COUNT)),
    )

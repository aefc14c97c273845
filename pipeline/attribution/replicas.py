"""Replicas: copies of an explainer, so that batches are explained side by side.

Threads that share one batch wait for each other at every layer of the network; where a worker process holds
one of their cores up, all wait. Two batches with half of the threads each do not: alone they are as fast, and
beside the workers faster.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from pipeline.attribution.explainer import Explainer

COUNT = 2
"""Of batches side by side; each holds its own activations."""


@contextmanager
def side_by_side(explainer: Explainer) -> Iterator[tuple[Explainer, ...]]:
    """The explainer and its copies, each for one thread of this process; one alone where that is no gain.

    Meanwhile each has its share of torch's threads and of the memory.
    """
    threads = torch.get_num_threads()
    if threads < COUNT or not _gains(explainer):
        yield (explainer,)
        return
    torch.set_num_threads(threads // COUNT)
    try:
        yield tuple(copy.deepcopy(_frugal(explainer)) for _ in range(COUNT))
    finally:
        torch.set_num_threads(threads)


def _gains(explainer: Explainer) -> bool:
    """Not on a GPU, which has one queue, and not where a backend fills the cores itself."""
    on_cpu = all(p.device.type == "cpu" for p in explainer.engine.network.parameters())
    return on_cpu and type(explainer) is Explainer


def _frugal(explainer: Explainer) -> Explainer:
    memory = explainer.engine.memory
    return replace(
        explainer,
        engine=replace(explainer.engine, memory=replace(memory, bound_mb=memory.bound_mb / COUNT)),
    )

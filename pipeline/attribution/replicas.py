"""Replicas: copies of an explainer, so that batches are explained side by side.

Threads that share one batch wait for each other at every layer of the network; where a worker process holds
one of their cores up, all wait. Two batches with half of the threads each do not: alone they are as fast, and
beside the workers faster.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.attribution.explainer import Explainer

COUNT = 2
"""Of batches side by side; each holds its own activations."""


@contextmanager
def side_by_side(explainer: Explainer) -> Iterator[tuple[Explainer, ...]]:
    """The explainer and its copies, each for one thread of this process; one alone where that is no gain.

    Meanwhile torch uses its share of threads for each.
    """
    threads = torch.get_num_threads()
    if threads < COUNT or next(explainer.network.parameters()).device.type != "cpu":
        yield (explainer,)
        return
    torch.set_num_threads(threads // COUNT)
    try:
        yield (explainer, *(copy.deepcopy(explainer) for _ in range(COUNT - 1)))
    finally:
        torch.set_num_threads(threads)

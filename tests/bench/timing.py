"""Timing: interleaved calls, so that a busy moment of the machine affects all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def interleaved(calls: Sequence[Callable[[], object]], *, rounds: int) -> list[float]:
    """The median seconds of each call, after one untimed call of each."""
    for call in calls:
        call()
    seconds = [[timed(call) for call in calls] for _ in range(rounds)]
    return [float(np.median(column)) for column in zip(*seconds, strict=True)]


def timed(call: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start

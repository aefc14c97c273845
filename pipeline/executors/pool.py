"""Pool: worker processes on this machine, with a bounded number of items under way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import wait
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8
"""Items under way for each worker: enough that none waits, few enough that memory stays flat."""
NICENESS = 10
"""Of workers: they fill the cores that the network leaves idle."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A worker is one of many, so the libraries in it shall not each start a thread a core."""


class Pool(AbstractContextManager["Pool"]):
    """Worker processes that end on every way out, also when this process is killed."""

    def __init__(self, *, workers: int = 0, preload: Sequence[str] = ()) -> None:
        """`workers` processes, 0 for one a core; modules named in `preload` are imported once for all."""
        self.workers = workers or len(os.sched_getaffinity(0))
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._processes, self._probe = self._starting(self.workers)

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, lost: Callable[[T], R]
    ) -> Iterator[R]:
        """`function` of each item, in the items' order; see `contracts.Executor`.

        When a worker dies, each item under way is done once more in a process of its own, so that the death
        is laid at the right item: that one's result is lost(item).
        """
        self._probe.result()
        under_way: deque[tuple[T, Future[R]]] = deque()
        for item in items:
            under_way.append((item, self._submitted(function, item)))
            if len(under_way) >= self.workers * AHEAD:
                yield self._result(function, *under_way.popleft(), lost=lost)
        while under_way:
            yield self._result(function, *under_way.popleft(), lost=lost)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.shutdown(wait=True, cancel_futures=True)

    def _submitted(self, function: Callable[[T], R], item: T) -> Future[R]:
        try:
            return self._processes.submit(function, item)
        except BrokenProcessPool:
            self._processes.shutdown(wait=False)
            self._processes, self._probe = self._starting(self.workers)
            self._probe.result()
            return self._processes.submit(function, item)

    def _result(self, function: Callable[[T], R], item: T, future: Future[R], *, lost: Callable[[T], R]) -> R:
        try:
            return future.result()
        except BrokenProcessPool:
            try:
                alone, probe = self._starting(1)
                with alone:
                    probe.result()
                    return alone.submit(function, item).result()
            except BrokenProcessPool:
                return lost(item)

    def _starting(self, workers: int) -> tuple[ProcessPoolExecutor, Future[int]]:
        """Processes, and what to wait for before the first item: that one of them runs.

        A worker that cannot even start is a bug, and no item's fault. Until then there is other work to do.
        """
        with _environment(ONE_THREAD):
            forkserver.ensure_running()
        processes = ProcessPoolExecutor(workers, mp_context=self._context, initializer=_settle_worker)
        return processes, processes.submit(os.getpid)


def _settle_worker() -> None:
    """Leave Ctrl-C to the parent, give way to it, and end when it is gone.

    The network's threads wait for each other at every layer: one that has to share its core holds up all.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables set for a while: what starts meanwhile inherits them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""Pool: worker processes on this machine, with a bounded number of items under way."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing import forkserver
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from pipeline.contracts import Loss
from pipeline.executors.worker import Limits, Lost, Worker

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8
"""Items under way for each worker: enough that none waits, few enough that memory stays flat."""
GRACE_SECONDS = 2.0
"""In which items under way may end when the pool does."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A worker is one of many, so the libraries in it shall not each start a thread a core."""
Task = tuple[Callable[[Any], Any], Any, "Future[Any]"]


class Pool(AbstractContextManager["Pool"]):
    """Worker processes that end on every way out, also when this process is killed."""

    def __init__(
        self, *, workers: int = 0, preload: Sequence[str] = (), limits: Limits | None = None
    ) -> None:
        """`workers` processes, 0 for one a core; modules named in `preload` are imported once for all."""
        self.workers = workers or len(os.sched_getaffinity(0))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(preload))
        with _environment(ONE_THREAD):
            forkserver.ensure_running()
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._workers = [Worker(context, limits or Limits()) for _ in range(self.workers)]
        self._threads = [Thread(target=self._serve, args=(worker,), daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, lost: Callable[[T, Loss], R]
    ) -> Iterator[R]:
        """`function` of each item, in the items' order; see `contracts.Executor`."""
        under_way: deque[tuple[T, Future[R | Lost]]] = deque()
        for item in items:
            under_way.append((item, self._submitted(function, item)))
            if len(under_way) >= self.workers * AHEAD:
                yield _result(*under_way.popleft(), lost=lost)
        while under_way:
            yield _result(*under_way.popleft(), lost=lost)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop_waiting()
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + GRACE_SECONDS
        for worker, thread in zip(self._workers, self._threads, strict=True):
            thread.join(max(0.0, deadline - time.monotonic()))
            worker.close()
            thread.join()

    def _submitted(self, function: Callable[[T], R], item: T) -> Future[R | Lost]:
        future: Future[R | Lost] = Future()
        self._tasks.put((function, item, future))
        return future

    def _serve(self, worker: Worker) -> None:
        """A thread's life: hand one task after another to its worker, which is there before the first."""
        with suppress(RuntimeError):  # told by the first task that it cannot do
            worker.start()
        while (task := self._tasks.get()) is not None:
            function, item, future = task
            try:
                future.set_result(worker.done(function, item))
            except BaseException as error:  # noqa: BLE001  raised where the result is asked for
                future.set_exception(error)
            del task, function, item, future
        worker.kill()

    def _drop_waiting(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return
            if task is not None:
                task[2].cancel()


def _result(item: T, future: Future[R | Lost], *, lost: Callable[[T, Loss], R]) -> R:
    found = future.result()
    return lost(item, found.why) if isinstance(found, Lost) else found


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

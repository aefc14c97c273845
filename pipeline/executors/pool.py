"""Pool: worker processes on this machine, with a bounded number of pending items."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

from pipeline.errors import CaseError, ConfigError
from pipeline.executors.ordered import in_order
from pipeline.executors.worker import Limits, Worker

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8
"""Pending items per worker: enough to keep every worker busy, few enough to bound memory."""
GRACE_SECONDS = 2.0
"""Time that running items get to finish when the pool closes."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment of the workers: parallelism comes from the processes, so libraries use one thread each."""
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment of the fork server, which starts as `python -c` and so would import from the working folder
first: a file `multiprocessing.py` among the studies would be run."""
Task = tuple[Callable[[Any], Any], Any, "Future[Any]"]


class Pool(AbstractContextManager["Pool"]):
    """Worker processes that always end with the pool, even if this process is killed."""

    def __init__(
        self, *, workers: int = 0, preload: Sequence[str] = (), limits: Limits | None = None
    ) -> None:
        """Start `workers` processes, 0 for one per core; `preload` names modules to import once for all."""
        self.workers = workers or len(os.sched_getaffinity(0))
        context = start_fork_server(preload)
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._workers = [Worker(context, limits or Limits()) for _ in range(self.workers)]
        self._threads = [Thread(target=self._serve, args=(worker,), daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, on_failure: Callable[[T, CaseError], R]
    ) -> Iterator[R]:
        """Results of `function`, in the order of the items; see `contracts.Executor`."""
        submit, result = partial(self._submit, function), partial(_result, on_failure=on_failure)
        return in_order(items, submit, result, most=self.workers * AHEAD)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancel_queued()
        for _ in self._threads:
            self._tasks.put(None)
        deadline = time.monotonic() + GRACE_SECONDS
        for worker, thread in zip(self._workers, self._threads, strict=True):
            thread.join(max(0.0, deadline - time.monotonic()))
            worker.close()
            thread.join()

    def _submit(self, function: Callable[[T], R], item: T) -> Future[R]:
        future: Future[R] = Future()
        self._tasks.put((function, item, future))
        return future

    def _serve(self, worker: Worker) -> None:
        """Thread body: start the worker, then pass it one task after another until None arrives."""
        with suppress(ConfigError):  # the first task raises it again
            worker.start()
        while (task := self._tasks.get()) is not None:
            function, item, future = task
            try:
                future.set_result(worker.run(function, item))
            except BaseException as error:  # noqa: BLE001  raised again by future.result()
                future.set_exception(error)
            del task, function, item, future
        worker.kill()

    def _cancel_queued(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return
            if task is not None:
                task[2].cancel()


def start_fork_server(preload: Sequence[str]) -> ForkServerContext:
    """The context of the process that workers are forked from; it starts, and imports `preload` meanwhile.

    A command calls it before it imports what takes seconds itself. A server that runs already stays.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    with _environment(ONE_THREAD | SAFE_PATH):
        forkserver.ensure_running()
    return context


def _result(item: T, future: Future[R], *, on_failure: Callable[[T, CaseError], R]) -> R:
    try:
        return future.result()
    except CaseError as error:
        return on_failure(item, error)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables inside the block, so that processes started there inherit them."""
    previous = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

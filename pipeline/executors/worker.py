"""Worker: a process that does one item after another, within bounds of time and memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from pipeline.contracts import Loss

NICENESS = 10
"""Of workers: they fill the cores that the network leaves idle."""
STARTS = 3
"""Tries to start one: whoever kills processes at random may hit one that is only starting."""
STARTING_SECONDS = 120.0
MIB = 2**20
_STARTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may take."""

    seconds: float | None = None
    memory_mb: int | None = None
    """Beside what an idle worker has."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No result, and why."""

    why: Loss


class Worker:
    """A worker process as its parent sees it; started when it is first needed, and again after its death."""

    def __init__(self, context: ForkServerContext, limits: Limits) -> None:
        self._context = context
        self._limits = limits
        self._connection: Connection[Any, Any] | None = None
        self._process: Any = None
        self._closed = False

    def done(self, function: Callable[[Any], Any], item: object) -> Any:
        """function(item), or `Lost`. Raises what `function` raises.

        Of a worker that dies the item is done once more in a new one: it need not be the item's fault. A
        limit that was reached is.
        """
        for _ in range(2):
            answer = self._asked(function, item)
            if not isinstance(answer, Lost):
                break
            self.kill()
            if answer.why != "worker_died" or self._closed:
                break
        if isinstance(answer, BaseException):
            raise answer
        return answer[0] if isinstance(answer, tuple) else answer

    def start(self) -> Connection[Any, Any]:
        """The way to a process that is ready; RuntimeError where none can be started."""
        for _ in range(STARTS):
            if self._connection is not None:
                return self._connection
            if self._closed:
                break
            ours, theirs = Pipe()
            with _STARTING:
                process = self._context.Process(
                    target=_work, args=(theirs, self._limits.memory_mb), daemon=True
                )
                process.start()
            self._process = process  # not before it is started: `close` may kill it from now on
            if self._closed:
                process.kill()
            theirs.close()
            self._connection = ours
            if isinstance(self._answer(STARTING_SECONDS), Lost):
                self.kill()
        if self._connection is None:
            raise RuntimeError("no worker process can be started")
        return self._connection

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def close(self) -> None:
        """End the process now, and start no other."""
        self._closed = True
        process = self._process  # which the worker's own thread may put aside meanwhile
        if process is not None:
            process.kill()

    def _asked(self, function: Callable[[Any], Any], item: object) -> Any:
        """What the process answers: (result,), an exception, or `Lost`."""
        if self._closed:
            return Lost("worker_died")
        try:
            self.start().send((function, item))
        except (BrokenPipeError, ConnectionResetError):
            return Lost("worker_died")
        return self._answer(self._limits.seconds)

    def _answer(self, seconds: float | None) -> Any:
        assert self._connection is not None
        ready = wait([self._connection, self._process.sentinel], seconds)
        if not ready:
            return Lost("out_of_time")
        try:
            return self._connection.recv() if self._connection.poll() else Lost("worker_died")
        except (EOFError, OSError):
            return Lost("worker_died")


def _work(connection: Connection[Any, Any], memory_mb: int | None) -> None:
    """What the process does: answer until nobody asks."""
    _settle(memory_mb)
    connection.send("ready")
    while True:
        try:
            function, item = connection.recv()
        except EOFError:
            return
        try:
            answer: object = (function(item),)
        except MemoryError:
            answer = Lost("out_of_memory")
        except BaseException as error:  # noqa: BLE001  the parent raises it
            error.add_note("".join(traceback.format_exception(error)))
            answer = error
        _send(connection, answer)
        del function, item, answer


def _send(connection: Connection[Any, Any], answer: object) -> None:
    try:
        connection.send(answer)
    except MemoryError:
        connection.send(Lost("out_of_memory"))
    except Exception as error:  # noqa: BLE001  an answer that does not pickle is a bug to be told
        connection.send(RuntimeError(f"a worker's answer cannot be sent: {error!r}"))


def _settle(memory_mb: int | None) -> None:
    """Leave Ctrl-C to the parent, give way to it, say nothing, keep to the bounds, and end when it is gone.

    The network's threads wait for each other at every layer: one that has to share its core holds up all.
    Libraries print what they please about a file, its names and paths too: nothing of it reaches a log.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold pixels
    if memory_mb is not None:
        bound = _data_bytes() + memory_mb * MIB
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _data_bytes() -> int:
    """What the process has already allocated, as RLIMIT_DATA counts it (proc(5), VmData)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))

"""Worker: a process that handles one item after another, within limits of time and memory."""

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
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from pipeline.errors import AuditError, CaseBug, CaseError, ConfigError, WorkerFailure

NICENESS = 10
"""Nice value of workers, which use only the cores that the network leaves idle."""
STARTS = 3
"""Attempts to start a process, because it may be killed while it starts."""
STARTING_SECONDS = 120.0
MIB = 2**20
MOST_REPLY_BYTES = 2**30
"""Pickled size of one result: more than that of the largest image."""
TOO_LARGE = (
    f"the file comes to more than {MOST_REPLY_BYTES // MIB:,} MiB when it is read; split it, or leave it out"
)
LONGEST_WAIT = 1.0
"""Seconds that one wait counts for at most, even if the main process was stopped (Ctrl-Z) meanwhile."""
_STARTING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one item."""

    seconds: float | None = None
    """Seconds of a monotonic clock in which the main process, too, was running; None for no limit."""
    memory_mb: int | None = None
    """MiB above the memory of an idle worker; None for no limit."""


class Worker:
    """The parent's handle of a worker process, which starts on first use and again after it dies."""

    def __init__(self, context: ForkServerContext, limits: Limits) -> None:
        self._context = context
        self._limits = limits
        self._connection: Connection[Any, Any] | None = None
        self._process: Any = None
        self._closed = False

    def run(self, function: Callable[[Any], Any], item: object) -> Any:
        """function(item), computed in the process. Raises its AuditErrors, CaseBug or WorkerFailure.

        If the process dies, the item is retried once in a new process, because the item may not be the cause.
        An item that exceeds a limit is not retried.
        """
        for _ in range(2):
            reply = self._request(function, item)
            if not isinstance(reply, WorkerFailure):
                break
            self.kill()
            if reply.reason != "worker_died" or self._closed:
                break
        if isinstance(reply, BaseException):
            raise reply
        return reply[0] if isinstance(reply, tuple) else reply

    def start(self) -> Connection[Any, Any]:
        """The connection to a process that is ready. Raises ConfigError if none can be started."""
        for _ in range(STARTS):
            if self._connection is not None:
                return self._connection
            if self._closed:
                break
            parent_end, child_end = Pipe()
            with _STARTING:
                process = self._context.Process(
                    target=_worker_main, args=(child_end, self._limits.memory_mb), daemon=True
                )
                process.start()
            self._process = process  # set only after the start, because `close` may kill it from now on
            if self._closed:
                process.kill()
            child_end.close()
            self._connection = parent_end
            if isinstance(self._reply(lambda: None, STARTING_SECONDS), WorkerFailure):
                self.kill()
        if self._connection is None:
            raise ConfigError(
                "no worker process can be started; check free memory and process limits, and in a script "
                "start the run below `if __name__ == '__main__':`"
            )
        return self._connection

    def kill(self) -> None:
        """Kill the process and close its connection; a later `run` starts a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def close(self) -> None:
        """Kill the process for good; no other is started."""
        self._closed = True
        process = self._process  # a local reference, because the serving thread may set it to None
        if process is not None:
            process.kill()

    def _request(self, function: Callable[[Any], Any], item: object) -> Any:
        """The reply of the process: (result,), or an exception, which may be a WorkerFailure."""
        if self._closed:
            return WorkerFailure("worker_died")
        connection = self.start()
        return self._reply(lambda: connection.send((function, item)), self._limits.seconds)

    def _reply(self, ask: Callable[[], None], seconds: float | None) -> Any:
        """What the process sends after `ask`. It is killed after `seconds`, also where it stopped half-way.

        A process that is stopped (SIGSTOP) reads and writes nothing, and a large item or reply fills the
        pipe: then only the end of the process ends `send` and `recv`.
        """
        assert self._connection is not None
        process, replied, expired = self._process, threading.Event(), threading.Event()

        def kill_in_time() -> None:
            if not _set_within(replied, seconds):
                expired.set()
                process.kill()

        watch = threading.Thread(target=kill_in_time, daemon=True)
        watch.start()
        try:
            ask()
            wait([self._connection, process.sentinel])
            reply = self._connection.recv() if self._connection.poll() else WorkerFailure("worker_died")
        except (EOFError, OSError):
            reply = WorkerFailure("worker_died")
        finally:
            replied.set()
            watch.join()
        died = isinstance(reply, WorkerFailure) and reply.reason == "worker_died"
        return WorkerFailure("out_of_time") if died and expired.is_set() else reply


def _set_within(event: threading.Event, seconds: float | None) -> bool:
    """Whether the event is set within `seconds`; no wait counts for more than `LONGEST_WAIT`."""
    if seconds is None:
        return event.wait()
    left = seconds
    while left > 0:
        if event.wait(min(left, LONGEST_WAIT)):
            return True
        left -= LONGEST_WAIT
    return event.is_set()


def _worker_main(connection: Connection[Any, Any], memory_mb: int | None) -> None:
    """Main loop of the process: handle requests until the parent closes the connection."""
    _set_up_process(memory_mb)
    connection.send("ready")
    while True:
        try:
            function, item = connection.recv()
        except EOFError:
            return
        try:
            reply: object = (function(item),)
        except MemoryError:
            reply = WorkerFailure("out_of_memory")
        except AuditError as error:
            reply = error
        except BaseException as error:  # noqa: BLE001  the run goes on without this item
            reply = CaseBug.of(error)
            reply.add_note("".join(traceback.format_exception(error)))
        _send(connection, reply)
        del function, item, reply


def _send(connection: Connection[Any, Any], reply: object) -> None:
    try:
        content = ForkingPickler.dumps(reply)
        if len(content) > MOST_REPLY_BYTES:
            content = ForkingPickler.dumps(CaseError("too_large", TOO_LARGE))
        connection.send_bytes(content)
    except MemoryError:
        connection.send(WorkerFailure("out_of_memory"))
    except Exception as error:  # noqa: BLE001  a reply that does not pickle
        connection.send(CaseBug(f"{type(error).__name__} when its result is sent"))


def _set_up_process(memory_mb: int | None) -> None:
    """Ignore Ctrl-C, lower the priority, discard output, set limits, and end when the parent ends.

    The priority is lower than the parent's because the network's threads wait for each other at every layer,
    so one thread that shares its core delays all. Output is discarded because libraries may print file names
    and paths, which must not reach a log.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICENESS)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would contain pixels
    if memory_mb is not None:
        limit = _data_bytes() + memory_mb * MIB
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _data_bytes() -> int:
    """Bytes already allocated by the process, as RLIMIT_DATA counts them (proc(5), VmData)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))

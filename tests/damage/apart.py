"""Apart: an executor that runs items in a fork of this process.

A worker of the fuzz run stands in for the main process of a run: what it hands to its executor runs apart, so
its own peak memory and its own death are those of a main process.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar

from pipeline.errors import AuditError, CaseBug, CaseError, WorkerFailure

T = TypeVar("T")
R = TypeVar("R")
SECONDS = 40.0
"""Limit for one item, below that of the worker."""
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass
class Apart:
    """An executor with one process, which starts on first use, and again after it dies."""

    child: int = 0
    connection: Connection[Any, Any] | None = None

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, on_failure: Callable[[T, CaseError], R]
    ) -> Iterator[R]:
        """Results of `function`, in the order of the items."""
        for item in items:
            reply = self._reply(function, item)
            if isinstance(reply, CaseError):
                yield on_failure(item, reply)
            elif isinstance(reply, BaseException):
                raise reply
            else:
                yield reply[0]

    def close(self) -> None:
        """End the process."""
        if self.connection is not None:
            self.connection.close()
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            self.connection = None

    def _reply(self, function: Callable[[Any], Any], item: object) -> Any:
        """(result,), or the exception of the process."""
        connection = self.connection or self._start()
        try:
            connection.send((function, item))
            if connection.poll(SECONDS):
                return connection.recv()
            failure = "out_of_time"
        except (EOFError, ConnectionError):
            failure = "worker_died"
        except BaseException:
            self.close()
            raise
        self.close()
        return WorkerFailure(failure)

    def _start(self) -> Connection[Any, Any]:
        mine, other = Pipe()
        self.child = os.fork()
        if not self.child:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            mine.close()
            _serve(other)
        other.close()
        self.connection = mine
        return mine


def _serve(connection: Connection[Any, Any]) -> None:
    """Answer requests until the other side closes, then end the process."""
    try:
        while True:
            function, item = connection.recv()
            connection.send(_answer(function, item))
            del function, item
    finally:
        os._exit(0)


def _answer(function: Callable[[Any], Any], item: object) -> object:
    """(result,), or the exception that a worker would send."""
    try:
        return (function(item),)
    except MemoryError:
        return WorkerFailure("out_of_memory")
    except AuditError as error:
        return error
    except BaseException as error:  # noqa: BLE001  as in a worker
        return CaseBug.of(error)

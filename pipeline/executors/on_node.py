"""On a node: what a machine of a cluster runs for another one, with pickled items and results.

Everything passes as bytes: arrays that Ray shares between processes would be read-only.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pipeline import __version__
from pipeline.errors import AuditError
from pipeline.executors.pool import Pool
from pipeline.executors.single import call
from pipeline.executors.worker import Limits

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node sees of the run."""

    version: str
    """Heatproof's version there."""
    missing: tuple[str, ...]
    """Those of the paths that are not there."""


def packed(value: object) -> bytes:
    """The pickled value."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def unpacked(reply: bytes) -> Any:
    """The result in a pickled reply. Raises the AuditError that it holds instead."""
    content = pickle.loads(reply)  # noqa: S301  of this program's own worker
    if isinstance(content, AuditError):
        raise content
    return content[0]


def replied(function: Callable[[], R]) -> bytes:
    """The pickled reply: the function's result, or the AuditError that it raises."""
    try:
        return packed((function(),))
    except AuditError as error:
        return packed(error)


def look(paths: tuple[str, ...]) -> Seen:
    """What this node sees of the paths."""
    return Seen(__version__, tuple(path for path in paths if not _is_there(path)))


def _is_there(path: str) -> bool:
    """Whether the path exists; not where this node may not enter a folder above it."""
    with suppress(OSError):
        return Path(path).exists()
    return False


def run(task: bytes, folder: str, preload: tuple[str, ...], limits: Limits) -> bytes:
    """The reply to a pickled (function, item), computed in a worker process within the limits.

    `folder` is the working folder of the run, for relative paths.
    """
    return replied(lambda: call(_worker(preload, limits), _run_task, (task, folder)))


def _run_task(of: tuple[bytes, str]) -> Any:
    """In the worker process; only there are the function's modules loaded."""
    task, folder = of
    enter(folder)
    function, item = pickle.loads(task)  # noqa: S301  of this program's own main process
    return function(item)


def enter(folder: str) -> None:
    """Make the folder the working folder, if it is there."""
    if Path(folder).is_dir():
        os.chdir(folder)


@cache
def _worker(preload: tuple[str, ...], limits: Limits) -> Pool:
    """This process's worker, which ends with it."""
    without_main()
    return Pool(workers=1, preload=preload, limits=limits)


def without_main() -> None:
    """Forget the file of Ray's main module, which worker processes would run again: a second, for nothing."""
    vars(sys.modules["__main__"]).pop("__file__", None)


class Host:
    """A process that keeps a value, such as a network on its device, and computes with it."""

    def __init__(self) -> None:
        self._value: Any = None

    def ready(self) -> None:
        """Nothing; who gets it knows that this process has started."""

    def open(self, maker: bytes, folder: str) -> bytes:
        """Make the value by the pickled function; the reply is empty. The others need it."""
        enter(folder)

        def made() -> None:
            self._value = pickle.loads(maker)()  # noqa: S301  of this program's own main process

        return replied(made)

    def run(self, task: bytes) -> bytes:
        """The reply to a pickled (function, item): function(value, item)."""
        function, item = pickle.loads(task)  # noqa: S301  of this program's own main process
        return replied(lambda: function(self._value, item))

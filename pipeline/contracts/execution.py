"""Contract of executors, which run pure functions over items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, TypeAlias, TypeVar

from pipeline.errors import CaseError

T = TypeVar("T")


R = TypeVar("R")
S = TypeVar("S")


Detector: TypeAlias = Literal["tesseract", "contrast"]
"""Detector of burned-in text: the contrast heuristic alone, or together with Tesseract."""


class Executor(Protocol):
    """Runs a pure function over items, for example in worker processes."""

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, on_failure: Callable[[T, CaseError], R]
    ) -> Iterator[R]:
        """Results of `function` for each item, in the items' order; a bounded number is in progress at once.

        `function` and items can be pickled. If `function` raises a CaseError, the result is
        on_failure(item, error). The error is a WorkerFailure if the item killed its worker twice or exceeded
        the executor's time or memory limit, and a CaseBug for any exception that is no AuditError.
        """
        ...


class Hosts(Protocol):
    """Processes on other machines that keep a value for many items: a network on its device."""

    def hosted(
        self, make: Callable[[], S], function: Callable[[S, T], R], items: Iterable[T], *, gpus: bool
    ) -> Iterator[R]:
        """function(make(), item) for each item, in the items' order; a bounded number is in progress at once.

        Each graphics card (`gpus`), or else each machine, calls `make` once. Functions and items can be
        pickled. An item whose machine dies goes to another one. Raises the AuditErrors of both functions, and
        OutputError if machine after machine dies.
        """
        ...

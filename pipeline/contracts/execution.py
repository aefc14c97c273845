"""Contract of executors, which run pure functions over items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, TypeAlias, TypeVar

from pipeline.errors import CaseError

T = TypeVar("T")


R = TypeVar("R")


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

"""Watched executor: another executor, with a count of the bugs that its items met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.contracts import Executor
from pipeline.errors import CaseBug, CaseError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Watched:
    """Counts every CaseBug, also where the caller goes on without the item and without a word."""

    executor: Executor
    bugs: Counter[str] = field(default_factory=Counter)
    """Type and place of an exception → how often."""

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, on_failure: Callable[[T, CaseError], R]
    ) -> Iterator[R]:
        """Results of `function`, in the order of the items; see `contracts.Executor`."""

        def counted(item: T, error: CaseError) -> R:
            if isinstance(error, CaseBug):
                self.bugs[error.what] += 1
            return on_failure(item, error)

        return self.executor.stream(function, items, on_failure=counted)

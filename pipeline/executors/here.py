"""Here: every item in this process, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pipeline.contracts import Loss

T = TypeVar("T")
R = TypeVar("R")


class Here:
    """An executor without parallel work: for notebooks, debuggers and tests."""

    def stream(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        *,
        lost: Callable[[T, Loss], R],  # noqa: ARG002  # no worker can die here
    ) -> Iterator[R]:
        """`function` of each item, in the items' order; see `contracts.Executor`."""
        return map(function, items)

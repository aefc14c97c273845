"""Ordered: results in the order of their items, while a bounded number of items is under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
P = TypeVar("P")


def in_order(
    items: Iterable[T], submit: Callable[[T], P], result: Callable[[T, P], R], *, most: int
) -> Iterator[R]:
    """result(item, submit(item)) for each item; an item is drawn only while fewer than `most` are pending."""
    pending: deque[tuple[T, P]] = deque()
    for item in items:
        pending.append((item, submit(item)))
        if len(pending) >= most:
            yield result(*pending.popleft())
    while pending:
        yield result(*pending.popleft())

"""Bugs are counted wherever a caller goes on without an item."""

from __future__ import annotations

from pipeline.errors import CaseError
from pipeline.executors.here import Here
from pipeline.executors.watched import Watched


def halve(number: int) -> int:
    if number % 2:
        raise CaseError("odd", "is odd; double it")
    return 6 // (number // 2)


def test_only_what_nobody_foresaw_is_counted() -> None:
    watched = Watched(Here())
    found = list(watched.stream(halve, [0, 1, 2, 0], on_failure=lambda _item, _error: -1))
    assert found == [-1, -1, 6, -1]
    ((what, count),) = watched.bugs.items()
    assert what.startswith("ZeroDivisionError in ")
    assert count == 2

"""Single call: one function of one item, for files that must not be parsed in the main process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from pipeline.contracts import Executor
from pipeline.errors import CaseError

T = TypeVar("T")
R = TypeVar("R")


def call(executor: Executor, function: Callable[[T], R], item: T) -> R:
    """function(item) by the executor. Raises what `function` raises on purpose, CaseBug or WorkerFailure."""
    (result,) = executor.stream(function, [item], on_failure=_refuse)
    return result


def _refuse(_item: object, error: CaseError) -> NoReturn:
    raise error

"""Single call: one function of one item, for files that must not be parsed in the main process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import NoReturn, TypeVar, cast

from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError

T = TypeVar("T")
R = TypeVar("R")

MIB = 2**20
MOST_BYTES = 96 * MIB
"""Pickled size of what is read from an input that the run cannot do without; the main process keeps it."""


def call(executor: Executor, function: Callable[[T], R], item: T) -> R:
    """function(item) by the executor. Raises what `function` raises on purpose, CaseBug or WorkerFailure."""
    (result,) = executor.stream(function, [item], on_failure=_refuse)
    return result


def require(executor: Executor, function: Callable[[T], R], item: T, *, where: str) -> R:
    """function(item) by the executor, for an input that the run cannot do without.

    `where` names its config key or file. Raises ConfigError that begins with it if the input cannot be read
    within the executor's limits, or comes to more than `MOST_BYTES`.
    """
    try:
        content = call(executor, partial(_packed, function), item)
    except CaseError as error:
        raise ConfigError(f"{where}: {error.message}") from error
    return cast("R", pickle.loads(content))  # noqa: S301  of this program's own worker


def _packed(function: Callable[[T], R], item: T) -> bytes:
    """The pickled result. Raises CaseError "too_large"."""
    content = pickle.dumps(function(item), protocol=pickle.HIGHEST_PROTOCOL)
    if len(content) > MOST_BYTES:
        raise CaseError(
            "too_large",
            f"comes to more than {MOST_BYTES // MIB} MiB when it is read; split it, and run each part",
        )
    return content


def _refuse(_item: object, error: CaseError) -> NoReturn:
    raise error

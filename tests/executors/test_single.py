"""Inputs that the run cannot do without: what a worker cannot read is a ConfigError that names the input."""

from __future__ import annotations

import pytest

from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.executors import single, worker
from pipeline.executors.here import Here
from pipeline.executors.pool import Pool
from pipeline.executors.single import call, require
from pipeline.executors.worker import Limits


def zeros(count: int) -> bytes:
    return bytes(count)


def exhaust(_item: object) -> None:
    raise MemoryError


def refuse(_item: object) -> None:
    raise ConfigError("no such column")


def fail(_item: object) -> None:
    raise KeyError("Doe^Jane")


def test_the_result_comes_back() -> None:
    assert require(Here(), zeros, 3, where="annotations.path") == bytes(3)


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (exhaust, r"^labels\.csv: the file needs more than limits\.memory_mb; raise the limit"),
        (refuse, r"^no such column$"),
        (fail, r"^labels\.csv: Heatproof failed on this file \(KeyError in test_single\.py:\d+\)"),
    ],
)
def test_what_a_worker_cannot_read_names_the_input(function: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        require(Here(), function, 0, where="labels.csv")  # type: ignore[arg-type]


def test_a_result_that_would_fill_the_main_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single, "MOST_BYTES", 2**20)
    assert len(require(Here(), zeros, 2**20 - 100, where="a.csv")) == 2**20 - 100
    with pytest.raises(ConfigError, match=r"^a\.csv: comes to more than 1 MiB when it is read"):
        require(Here(), zeros, 2**20, where="a.csv")


def hungry(executor: Executor, count: int) -> str:
    with pytest.raises(ConfigError) as refused:
        require(executor, zeros, count, where="a.csv")
    return str(refused.value)


def test_limits_of_a_worker_are_named_with_the_key_that_raises_them() -> None:
    with Pool(workers=1, limits=Limits(memory_mb=64)) as pool:
        assert call(pool, zeros, 3) == bytes(3)
        assert hungry(pool, 2**30).startswith("a.csv: the file needs more than limits.memory_mb")
    assert worker.MOST_REPLY_BYTES > single.MOST_BYTES

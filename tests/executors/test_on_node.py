"""On a node: what a machine of a cluster runs gives results and errors back as a pool here does."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline import __version__
from pipeline.errors import CaseBug, CaseError, ConfigError
from pipeline.executors import on_node
from pipeline.executors.on_node import Host, Seen, look, packed, run, unpacked
from pipeline.executors.ordered import in_order
from pipeline.executors.worker import Limits
from tests.executors.test_pool import fail_at_three


def doubled(values: np.ndarray) -> np.ndarray:
    """In place, which an array shared between processes refuses."""
    values *= 2
    return values


def where(_item: object) -> str:
    return str(Path.cwd())


def refuse(_item: object) -> None:
    raise CaseError("unreadable", "a sentence")


def test_a_node_answers_with_results_and_with_errors(tmp_path: Path) -> None:
    def reply(function: object, item: object) -> object:
        return unpacked(run(packed((function, item)), str(tmp_path), (), Limits()))

    main = vars(on_node.sys.modules["__main__"]).get("__file__")
    try:
        assert np.array_equal(reply(doubled, np.ones(3)), np.full(3, 2.0))
        assert reply(where, 0) == str(tmp_path)
        with pytest.raises(CaseError, match="a sentence"):
            reply(refuse, 0)
        with pytest.raises(CaseBug, match=r"ValueError in test_pool\.py"):
            reply(fail_at_three, 3)
    finally:
        for pool in [on_node._worker((), Limits())]:
            pool.__exit__(None, None, None)
        on_node._worker.cache_clear()
        if main is not None:
            vars(on_node.sys.modules["__main__"])["__file__"] = main


def ten() -> int:
    return 10


def no_weights() -> int:
    raise ConfigError("no such weights")


def added(kept: int, item: int) -> int:
    return kept + item


def test_a_host_keeps_its_value_and_says_why_it_has_none() -> None:
    host, here = Host(), os.getcwd()  # noqa: PTH109
    host.ready()
    assert unpacked(host.open(packed(ten), here)) is None
    assert unpacked(host.run(packed((added, 3)))) == 13
    with pytest.raises(ConfigError, match="no such weights"):
        unpacked(host.open(packed(no_weights), here))


def test_a_node_says_what_it_does_not_see(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    assert pickle.loads(packed(look((str(tmp_path), gone)))) == Seen(__version__, (gone,))


def test_a_path_that_a_node_may_not_enter_is_one_that_it_does_not_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse_entry(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "exists", refuse_entry)
    assert look(("/closed/studies",)).missing == ("/closed/studies",)


def test_results_come_in_order_and_no_more_items_are_drawn_than_may_be_pending() -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(6):
            drawn.append(number)
            yield number

    results = in_order(items(), lambda item: -item, lambda item, pending: (item, pending), most=3)
    assert next(results) == (0, 0)
    assert drawn == [0, 1, 2]
    assert list(results) == [(n, -n) for n in range(1, 6)]

"""Promises of the bench: what is missed is said, and time belongs to one stage."""

from __future__ import annotations

import time

import pytest

from tests.bench import by_stage
from tests.bench.by_stage import REST, STAGES, Clock, seconds_by_stage
from tests.bench.promises import MISSED, Promises


def test_what_is_missed_is_said_beside_its_limit_and_kept() -> None:
    promises = Promises()
    assert promises.at_most("whole", 1.25, 1.25) == "at most 1.25"
    assert promises.at_most("whole", 1.26, 1.25) == f"at most 1.25  {MISSED}"
    assert promises.at_least("faster", 2, 2) == "at least 2"
    assert promises.at_least("faster", 1.9, 2) == f"at least 2  {MISSED}"
    assert promises.at_most("nothing", float("nan"), 1) == f"at most 1  {MISSED}"
    assert promises.missed == ["whole: at most 1.25", "faster: at least 2", "nothing: at most 1"]


def test_a_stage_stands_still_while_it_calls_another(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0, 10, 13, 20])  # outer starts, inner starts, inner ends, outer ends
    monkeypatch.setattr(time, "thread_time", lambda: next(moments))
    clock = Clock()
    with clock.running("outer"), clock.running("inner"):
        pass
    assert clock.seconds == {"outer": 17, "inner": 3}


def test_every_function_of_a_stage_is_one_that_the_run_calls_by_this_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    took = seconds_by_stage(lambda: None)  # raises where a name is gone
    assert list(took) == [*STAGES, REST]
    monkeypatch.setattr(by_stage, "STAGES", {"decode": ("pipeline.cases.case.gone",)})
    with pytest.raises(AttributeError):
        seconds_by_stage(lambda: None)

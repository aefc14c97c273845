"""Attempts: every start of a run is recorded, and nothing else depends on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.run.attempts import begin_attempt, finish_attempt
from pipeline.run.command_line import Word
from pipeline.run.opening import open_run
from pipeline.run_files.outputs import PROVENANCE
from tests.study import write_model, write_study

NAME = "tiny-00000000"


def begun(folder: Path, **config: Any) -> Path:
    """The run folder of a run that was begun."""
    inputs = {"studies": str(folder / "images"), "annotations.path": str(folder)}
    inputs |= {"model": str(folder / "model" / "tiny.yaml"), "out": str(folder / "out")}
    made = make_plan(load_config(None, inputs | config))
    with open_run(made, Here(), worker_modules=()) as run:
        run.lock(NAME)
        begin_attempt(
            run, made, [Word("heatproof"), Word("audit"), Word("/home/jane", "path")], {"threads": 3}
        )
        return run.folder


def attempts(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((run / PROVENANCE).read_text())["attempts"]
    return found


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = write_study(tmp_path)
    write_model(folder / "model")
    return folder


def test_an_attempt_has_its_times_in_utc(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796068501")
    run = begun(study)
    (attempt,) = attempts(run)
    assert (attempt["started"], attempt["finished"]) == ("2026-11-30T19:55:01Z", None)
    assert attempt["clock"] == "SOURCE_DATE_EPOCH"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1796068570")
    finish_attempt(run)
    assert attempts(run) == [{**attempt, "finished": "2026-11-30T19:56:10Z"}]


def test_the_clock_is_the_systems_where_nothing_else_is_set(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (attempt,) = attempts(begun(study))
    assert attempt["clock"] == "system"
    assert attempt["started"] > "2026-01-01T00:00:00Z"


def test_a_run_that_is_resumed_has_both_attempts(study: Path) -> None:
    begun(study)
    run = begun(study, operator="Jane Doe")
    finish_attempt(run)
    first, second = attempts(run)
    assert first["finished"] is None
    assert second["finished"] >= second["started"] >= first["started"]
    assert (first["operator"], second["operator"]) == (None, "Jane Doe")


def test_paths_are_pseudonyms_and_the_host_has_its_threads(study: Path) -> None:
    (attempt,) = attempts(begun(study))
    assert attempt["command"][:2] == ["heatproof", "audit"]
    assert attempt["command"][2].startswith("path-")
    assert attempt["host"]["threads"] == 3


@pytest.mark.parametrize("content", ["", "{", '{"attempts": 3}', '{"run_id": "a", "is_lost": false}'])
def test_damaged_records_are_said_to_be_lost(study: Path, content: str) -> None:
    run = begun(study)
    (run / PROVENANCE).write_text(content)
    begun(study)
    found = json.loads((run / PROVENANCE).read_text())
    assert found["is_lost"] is True
    assert len(found["attempts"]) == 1

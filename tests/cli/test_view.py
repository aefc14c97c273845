"""`heatproof view` says that its files are removed after they are."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from pipeline.cli import main
from pipeline.delivery.export import Exported
from pipeline.viewer.view import View


def test_its_end_comes_without_a_limit_and_is_said_when_the_files_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def shown(*_: object, **__: object) -> Iterator[View]:
        yield View("http://127.0.0.1:1", (), Exported({}, 0, ()), 0)
        sys.stdout.write("files removed\n")

    limits: list[int] = []

    def interrupted(_seconds: float) -> NoReturn:
        limits.append(signal.set_wakeup_fd(-1))  # what would end the process after a signal
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.viewer.view.view", shown)
    monkeypatch.setattr("pipeline.cli.view.time.sleep", interrupted)
    line = ["view", str(tmp_path), "--studies", str(tmp_path), "--ohif", str(tmp_path)]
    assert main.main(line) == main.DONE
    assert limits == [-1]
    said = capsys.readouterr().out
    assert -1 < said.index("files removed") < said.index("Ended")

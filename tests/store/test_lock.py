"""Lock: one run at a time on a run folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.store.lock import locked

HOLD = """
import sys
from pathlib import Path
from pipeline.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with locked(tmp_path / "run"):
        with pytest.raises(ConfigError, match="another audit is writing there"), locked(tmp_path / "run"):
            pass
        with pytest.raises(ConfigError), locked(tmp_path / "run"):  # the refused one took nothing away
            pass


def test_runs_on_two_folders_do_not_meet(tmp_path: Path) -> None:
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        pass


def test_the_lock_is_free_after_a_run_and_after_one_that_failed(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError), locked(tmp_path):
            pass
        holder.kill()
        holder.wait()
        with locked(tmp_path):
            pass

"""Lock: one run at a time on a run folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, OutputError
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


def test_a_lock_that_is_a_link_is_refused_and_what_it_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    run = tmp_path / "run"
    run.mkdir()
    (run / ".lock").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(ConfigError, match=r"run/\.lock: is a link"), locked(run):
        pass
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_lock_keeps_what_is_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").hardlink_to(tmp_path / "mine.txt")
    with locked(tmp_path / "run"):
        pass
    assert (tmp_path / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize("name", ["cases", "static", "cases/case-1", "cases/case-1/case.json", "x"])
def test_a_run_folder_with_a_link_is_not_run_in(tmp_path: Path, name: str) -> None:
    link = tmp_path / "run" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match=f"run/{name}: is a link"), locked(tmp_path / "run"):
        pass
    link.unlink()
    with locked(tmp_path / "run"):
        pass


def test_a_run_folder_that_is_a_link_is_refused_and_one_below_a_link_is_not(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "victim")
    with locked(tmp_path / "out" / "run"):
        pass
    with pytest.raises(ConfigError, match="out: is a link"), locked(tmp_path / "out"):
        pass


def test_a_pipe_in_a_run_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with (
        pytest.raises(ConfigError, match=r"manifest\.json: is neither a file nor a folder"),
        locked(tmp_path),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "lost")
    for place in (
        Path("/proc/x/run"),
        tmp_path / "file" / "run",
        tmp_path / "link" / "run",
        tmp_path / "file",
    ):
        with pytest.raises(OutputError, match="choose another place"), locked(place):
            pass

"""A run that is killed, short of room, not let in or deceived: nothing is lost, nothing is half there."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from pipeline.cli.main import main
from pipeline.cohort.pseudonyms import open_pseudonyms, write_key
from pipeline.executors.pool import GRACE_SECONDS
from pipeline.store.cases import remove_leftovers
from tests import faults, warm
from tests.faults import command, killed, prepared, run_folder
from tests.patience import ATTEMPTS, SECONDS
from tests.study import picture, write_image, write_model, write_study
from tests.test_audit import run, table
from tests.volatile import contents

FILES_OF_A_CASE = ("case.json", "case.js", "heatmaps.npz", "pixels.js", "thumbnail.jpg")
NEW_MOUNTS, NEW_USER = 0x20000, 0x10000000
"""CLONE_NEWNS and CLONE_NEWUSER, unshare(2)."""
NO_DISK = 77
DROP_BOUNDING = 24
"""PR_CAPBSET_DROP, prctl(2)."""
OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, capabilities(7)."""
CAPABILITY_VERSION = 0x20080522
"""_LINUX_CAPABILITY_VERSION_3, capset(2): two triples of 32-bit sets."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A study and the bytes of its undisturbed run, which is started cold."""
    folder = prepared(tmp_path_factory.mktemp("whole"))
    subprocess.run(command(folder), check=True, capture_output=True)
    return folder, contents(run_folder(folder))


def twin(whole: tuple[Path, dict[str, bytes]], folder: Path) -> Path:
    """Another output folder for the same study, with the same key."""
    write_key(open_pseudonyms(whole[0] / "out" / "pseudonym.key"), folder / "pseudonym.key")
    return folder


def ended(folder: Path, out: Path, *, before: Callable[[], object] | None = None) -> warm.Run:
    """The run into `out`, after `before` in its process."""
    return warm.run(command(folder, "--out", str(out)), before=before)


def test_whoever_is_killed_whenever_the_run_goes_on_to_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make faults` kills a hundred."""
    monkeypatch.setattr(sys, "argv", ["faults", "--count", "4"])
    code, printed = faults.main(), capsys.readouterr().out
    assert code == 0, printed
    assert "same bytes" in printed


def test_without_room_a_run_says_so_and_goes_on_when_there_is_some(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """A limit on the size of files refuses to write as a full disk does."""
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    largest = max(len(content) for name, content in expected.items() if name.startswith("cases/case-"))
    limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (largest - 1, largest - 1))
    short = ended(folder, out, before=limited)
    assert short.returncode == 3, short.stderr
    assert "cannot be written (File too large); make room" in short.stderr
    assert "Traceback" not in short.stderr
    left = contents(run_folder_in(out))
    assert not [name for name in left if ".passing-" in name]  # what could not be written whole is gone
    assert "index.html" not in left
    finished = {name: content for name, content in left.items() if name.endswith("case.json")}
    assert finished.items() <= expected.items()
    assert ended(folder, out).returncode == 0
    assert contents(run_folder_in(out)) == expected


def on_a_small_disk(size: int, out: Path, kept: Path, words: list[str]) -> NoReturn:
    """Run twice into a disk of `size` bytes, which gets room before the second; all is copied to `kept`.

    The key is the one in `kept`. Ends with NO_DISK if no file system can be mounted here.
    """
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None).unshare(NEW_USER | NEW_MOUNTS):
        sys.exit(NO_DISK)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", name).write_text(text)
    mount = ["mount", "-t", "tmpfs", "-o"]
    if subprocess.run([*mount, f"size={size}", "none", str(out)], check=False).returncode:
        sys.exit(NO_DISK)
    shutil.copy2(kept / "pseudonym.key", out)
    print("full:", in_a_process(main, words[3:]), flush=True)  # noqa: T201
    subprocess.run([*mount, "remount,size=1g", "none", str(out)], check=True)
    print("room:", in_a_process(main, words[3:]), flush=True)  # noqa: T201
    shutil.copytree(out, kept, dirs_exist_ok=True)
    sys.exit()


def in_a_process(command_line: Callable[[list[str]], int], arguments: list[str]) -> int:
    """The exit code of the command line in a fork of this process."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            code = command_line(arguments)
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_full_disk_is_reported_and_the_run_goes_on_when_there_is_room(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path, share: float
) -> None:
    """A disk of its own, full in the middle of the cases, or when nearly all is written."""
    folder, expected = whole
    kept = twin(whole, tmp_path / "kept")
    out = tmp_path / "out"
    out.mkdir()
    pages = sum(len(content) // 4096 + 1 for content in expected.values())
    words = command(folder, "--out", str(out))
    said = warm.run(words, before=partial(on_a_small_disk, int(share * pages) * 4096, out, kept, words))
    if said.returncode == NO_DISK:
        pytest.skip("no file system can be mounted here")
    assert "full: 3" in said.stdout, said.stderr
    assert "cannot be written (No space left on device); make room" in said.stderr
    assert "Traceback" not in said.stderr
    assert "room: 0" in said.stdout, said.stderr
    assert contents(run_folder_in(kept)) == expected


def run_folder_in(out: Path) -> Path:
    (made,) = (path for path in out.iterdir() if path.is_dir())
    return made


def without_override() -> None:
    """In a process of root's: permissions count from now on, in its programs too."""
    library = ctypes.CDLL(None)
    for capability in OVERRIDES:
        library.prctl(DROP_BOUNDING, capability, 0, 0, 0)
    version, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert library.capget(version, sets) == 0
    for place in range(3):  # effective, permitted, inheritable
        sets[place] &= ~sum(1 << capability for capability in OVERRIDES)
    assert library.capset(version, sets) == 0


def test_a_folder_that_may_not_be_written_is_named_and_the_run_goes_on_when_it_may(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    out.chmod(0o555)
    refused = ended(folder, out, before=without_override)
    assert refused.returncode == 3, refused.stderr
    assert str(out) in refused.stderr
    assert "cannot be written (Permission denied)" in refused.stderr
    assert "Traceback" not in refused.stderr
    out.chmod(0o755)
    assert ended(folder, out, before=without_override).returncode == 0
    assert contents(run_folder_in(out)) == expected


def waited_for(folder: Path, pattern: str, *, count: int = 1) -> None:
    deadline = time.monotonic() + SECONDS
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline, f"no {pattern}"
        time.sleep(0.01)


def test_of_two_runs_on_one_folder_the_second_refuses_and_the_first_ends_well(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    first = warm.started(command(folder, "--out", str(out)))
    waited_for(out, "*/baselines.npz")
    first.send_signal(signal.SIGSTOP)  # or it might be done before the second has begun
    second = ended(folder, out)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 2, second.stdout
    assert "another audit is writing there" in second.stderr
    assert first.wait() == 0, first.stdout + first.stderr
    assert contents(run_folder_in(out)) == expected


def test_what_was_finished_before_a_termination_stays_and_the_run_goes_on_to_the_same_bytes(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    for attempt in range(ATTEMPTS):
        out = twin(whole, tmp_path / f"out{attempt}")
        ending = warm.started(command(folder, "--out", str(out)))
        waited_for(out, "*/cases/*/case.json", count=2)
        finished = list(out.glob("*/cases/*/case.json"))
        ending.send_signal(signal.SIGTERM)
        if ending.wait() != 0:  # 0: the run was done before the signal came
            break
    assert ending.returncode == 130, ending.stdout + ending.stderr
    left = contents(run_folder_in(out))
    assert "index.html" not in left
    of_cases = {f"cases/{path.parent.name}/{name}" for path in finished for name in FILES_OF_A_CASE}
    assert {name: left.get(name) for name in of_cases} == {name: expected[name] for name in of_cases}
    assert ended(folder, out).returncode == 0
    assert contents(run_folder_in(out)) == expected


def test_a_termination_ends_the_run_though_a_worker_hangs(tmp_path: Path) -> None:
    """The worker would hang for an hour, of which the run waits GRACE_SECONDS."""
    folder = prepared(tmp_path)
    sleeper = tmp_path / "bin" / "tesseract"
    sleeper.parent.mkdir()
    sleeper.write_text(f"#!/bin/sh\ntouch {folder}/hanging\nexec sleep 3600\n")
    sleeper.chmod(0o755)
    environment = {**os.environ, "PATH": f"{sleeper.parent}:{os.environ['PATH']}"}
    ending = warm.started(command(folder, "--set", "burned_in_text.look=tesseract"), environment=environment)
    waited_for(folder, "hanging")
    ending.send_signal(signal.SIGTERM)
    assert ending.wait() == 130
    assert GRACE_SECONDS < 5


def test_a_case_that_a_power_failure_emptied_is_made_again(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    out = tmp_path / "out"
    shutil.copytree(folder / "out", out)
    one, other = sorted((run_folder_in(out) / "cases").glob("case-*"))[:2]
    (one / "case.json").write_bytes(b"")
    (other / "skipped.json").write_text("{}")
    (other / "pixels.js").write_bytes(b"")
    again = ended(folder, out)
    assert again.returncode == 0, again.stderr
    assert contents(run_folder_in(out)) == expected


def test_a_folder_that_cannot_be_made_is_reported(whole: tuple[Path, dict[str, bytes]]) -> None:
    refused = ended(whole[0], Path("/proc/x"))
    assert refused.returncode == 3
    assert "cannot be made (No such file or directory); choose another place" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_study_that_changes_while_it_is_read_is_noticed_and_audited_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing and decoding, with size and time of change as they were."""
    folder = write_study(tmp_path, count=4)
    model = write_model(folder / "model")
    victim = folder / "images" / "image3.dcm"

    def changing(run: Path, case_ids: Iterable[str]) -> None:
        status = victim.stat()
        write_image(victim.parent, 3, picture(99))
        os.utime(victim, ns=(status.st_mtime_ns, status.st_mtime_ns))
        assert victim.stat().st_size == status.st_size
        remove_leftovers(run, case_ids)

    monkeypatch.setattr("pipeline.run.opening.remove_leftovers", changing)
    deceived = run(folder, model, policy__max_skipped=1.0)
    assert [row["reason"] for row in table(deceived, "skipped.csv")] == ["file_changed"]
    monkeypatch.undo()
    anew = run(folder, model)
    assert anew.index != deceived.index
    assert len(table(anew, "cases.csv")) == 4


def test_a_run_writes_nowhere_but_into_its_folder(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "study")
    home, here = (tmp_path / name for name in ("home", "here"))
    for place in (home, here):
        place.mkdir()
    before = set(tmp_path.rglob("*"))
    scratch = Path(tempfile.mkdtemp())  # short: it holds sockets, whose paths may have 107 characters
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(scratch), "PYTHONPATH": str(Path.cwd())}
    environment |= {"XDG_CACHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command(folder), check=False, capture_output=True, cwd=here, env=environment)
    assert ended.returncode == 0, ended.stderr.decode()
    new = {*tmp_path.rglob("*"), *scratch.rglob("*")} - before - {folder / "out"}
    shutil.rmtree(scratch)
    # matplotlib, which MONAI loads, and torch make folders for settings, fonts and compiled code.
    libraries = {home / ".config", *home.rglob("matplotlib/**"), *scratch.glob("torchinductor_*")}
    inside = {path for path in new - libraries if "matplotlib" not in path.parts}
    made = {path.relative_to(folder / "out").parts[0] for path in inside}
    assert made == {"pseudonym.key", run_folder(folder).name}


def test_what_keeps_the_cores_busy_ends_with_its_block() -> None:
    before = set(faults._children(os.getpid()))
    with faults.busy(2):
        burning = set(faults._children(os.getpid())) - before
    assert len(burning) == 2
    assert not burning & set(faults._children(os.getpid()))


def test_a_worker_that_is_stopped_costs_its_image_alone_which_the_next_run_makes(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """Once, a program that the worker calls stops the worker, not itself."""
    folder = whole[0]
    out = twin(whole, tmp_path / "out")
    stopper = tmp_path / "bin" / "tesseract"
    stopper.parent.mkdir()
    stopper.write_text(f"#!/bin/sh\nmkdir {tmp_path}/stopped 2>/dev/null && kill -STOP $PPID\nexit 0\n")
    stopper.chmod(0o755)
    environment = {**os.environ, "PATH": f"{stopper.parent}:{os.environ['PATH']}"}
    words = command(folder, "--out", str(out), "--set", "burned_in_text.look=tesseract")
    words += ["--set", "limits.seconds=20", "--set", "policy.max_skipped=1"]
    stopped = warm.started(words, environment=environment)
    assert stopped.wait() == 0, stopped.stderr
    (skipped,) = run_folder_in(out).glob("cases/*/skipped.json")
    assert json.loads(skipped.read_text())["reason"] == "out_of_time"
    again = warm.started(words, environment=environment)
    assert again.wait() == 0, again.stderr
    assert not list(run_folder_in(out).glob("cases/*/skipped.json"))
    assert len(list(run_folder_in(out).glob("cases/*/case.json"))) == faults.IMAGES


def test_a_kill_without_a_victim_is_reported_as_such() -> None:
    assert not killed([])
    sleeper = subprocess.Popen(["sleep", str(2 * SECONDS)])
    assert killed([sleeper.pid])
    assert sleeper.wait(timeout=SECONDS) == -signal.SIGKILL
    assert not killed([sleeper.pid])

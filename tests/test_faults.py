"""A run that is killed, short of room, not let in or deceived: nothing is lost, nothing is half there."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pipeline.store.cases import sweep
from pipeline.store.pseudonyms import keep, open_pseudonyms
from tests.faults import command, contents, killed, prepared, run_folder, started
from tests.study import picture, write_image, write_model, write_study
from tests.test_audit import run, table

FILES_OF_A_CASE = ("case.json", "case.js", "heatmaps.npz", "pixels.js", "thumbnail.jpg")
DROP_BOUNDING = 24
"""PR_CAPBSET_DROP, prctl(2)."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A study and the bytes of its undisturbed run."""
    folder = prepared(tmp_path_factory.mktemp("whole"))
    subprocess.run(command(folder), check=True, capture_output=True)
    return folder, contents(run_folder(folder))


def twin(whole: tuple[Path, dict[str, bytes]], folder: Path) -> Path:
    """Another output folder for the same study, with the same key."""
    keep(open_pseudonyms(whole[0] / "out" / "pseudonym.key"), folder / "pseudonym.key")
    return folder


def ended(
    folder: Path, out: Path, *, before: Callable[[], object] | None = None
) -> subprocess.CompletedProcess[str]:
    """The run into `out`, after `before` in its process."""
    return subprocess.run(
        command(folder, "--out", str(out)), capture_output=True, text=True, check=False, preexec_fn=before
    )


def test_whoever_is_killed_whenever_the_run_goes_on_to_the_same_bytes() -> None:
    """`make faults` kills a hundred."""
    kills = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--count", "6"], capture_output=True, text=True, check=False
    )
    assert kills.returncode == 0, kills.stdout + kills.stderr
    assert "same bytes" in kills.stdout


def test_without_room_a_run_says_so_and_goes_on_when_there_is_some(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """A limit on the size of files refuses to write as a full disk does."""
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    largest = max(len(content) for name, content in expected.items() if name.startswith("cases/case-"))
    short = ended(folder, out, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1,) * 2))
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


FILLED = """
mount -t tmpfs -o size="$1" none "$2" || exit 77
cp "$3/pseudonym.key" "$2" && kept=$3 out=$2 && shift 3
"$@"; echo "full: $?"
mount -o remount,size=1g "$out"
"$@"; echo "room: $?"
cp -r "$out"/* "$kept"
"""
"""$1 bytes of disk, mounted on $2, with the key from $3, where all is kept in the end; the rest is run."""


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path, share: float
) -> None:
    """A disk of its own, full in the middle of the cases, or when nearly all is written."""
    folder, expected = whole
    kept = twin(whole, tmp_path / "kept")
    out = tmp_path / "out"
    out.mkdir()
    pages = sum(len(content) // 4096 + 1 for content in expected.values())
    arguments = [str(int(share * pages) * 4096), str(out), str(kept), *command(folder, "--out", str(out))]
    said = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", FILLED, "sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode == 77 or "unshare" in said.stderr:
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
    """In a process of root's: permissions count from its next program on."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(DROP_BOUNDING, capability, 0, 0, 0)


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
    deadline = time.monotonic() + 60
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline, f"no {pattern}"
        time.sleep(0.01)


def test_of_two_runs_on_one_folder_the_second_refuses_and_the_first_ends_well(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    first = started(folder, "--out", str(out))
    waited_for(out, "*/baselines.npz")
    first.send_signal(signal.SIGSTOP)  # or it might be done before the second has begun
    second = ended(folder, out)
    first.send_signal(signal.SIGCONT)
    assert second.returncode == 2, second.stdout
    assert "another audit is writing there" in second.stderr
    said = first.communicate(timeout=120)[0]
    assert first.returncode == 0, said
    assert contents(run_folder_in(out)) == expected


def test_what_was_finished_before_a_termination_stays_and_the_run_goes_on_to_the_same_bytes(
    whole: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, expected = whole
    out = twin(whole, tmp_path / "out")
    ending = started(folder, "--out", str(out))
    waited_for(out, "*/cases/*/case.json", count=2)
    finished = list(out.glob("*/cases/*/case.json"))
    ending.send_signal(signal.SIGTERM)
    said = ending.communicate(timeout=30)[0]
    assert ending.returncode == 130, said
    left = contents(run_folder_in(out))
    assert "index.html" not in left
    of_cases = {f"cases/{path.parent.name}/{name}" for path in finished for name in FILES_OF_A_CASE}
    assert {name: left.get(name) for name in of_cases} == {name: expected[name] for name in of_cases}
    assert ended(folder, out).returncode == 0
    assert contents(run_folder_in(out)) == expected


def test_a_termination_ends_the_run_within_five_seconds_though_a_worker_hangs(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    sleeper = tmp_path / "bin" / "tesseract"
    sleeper.parent.mkdir()
    sleeper.write_text("#!/bin/sh\nexec sleep 30\n")
    sleeper.chmod(0o755)
    environment = {**os.environ, "PATH": f"{sleeper.parent}:{os.environ['PATH']}"}
    ending = subprocess.Popen(
        command(folder, "--set", "burned_in_text.look=tesseract"),
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    waited_for(folder, "out/*/baselines.npz")
    time.sleep(1)
    ending.send_signal(signal.SIGTERM)
    start = time.monotonic()
    assert ending.wait(timeout=30) == 130
    assert time.monotonic() - start < 5


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


def test_a_place_that_cannot_be_is_told(whole: tuple[Path, dict[str, bytes]]) -> None:
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
        sweep(run, case_ids)

    monkeypatch.setattr("pipeline.audit.sweep", changing)
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


def test_a_kill_without_a_victim_is_told_as_such() -> None:
    assert not killed([])
    sleeper = subprocess.Popen(["sleep", "60"])
    assert killed([sleeper.pid])
    assert sleeper.wait(timeout=10) == -signal.SIGKILL
    assert not killed([sleeper.pid])

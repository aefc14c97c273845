"""Faults: runs that are killed at random moments, or whose workers are, and then go on.

`python -m tests.faults [--count 100]` ends with 1 where a run that went on ended with other bytes.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pipeline.audit  # noqa: F401  loads torch before any fork
from pipeline import cli
from tests.study import write_model, write_study

IMAGES = 16
PREPARE = "import pathlib, sys; from tests.faults import prepared; prepared(pathlib.Path(sys.argv[1]))"
"""In a process of its own: making a network may start threads."""
NOBODY = "nobody there"
"""Where no worker was alive at the moment, which proves nothing."""
SECONDS = 120
"""More than any run here takes."""


def command(folder: Path, *extra: str) -> list[str]:
    """An audit of the study in `folder`."""
    return [
        sys.executable, "-m", "pipeline.cli", "audit", "--studies", str(folder / "images"),
        "--annotations", str(folder), "--model", str(folder / "model" / "tiny.yaml"),
        "--out", str(folder / "out"),
        "--set", "workers=2", "--set", "batch_size=2", "--set", "statistics.replicates=20", *extra,
    ]  # fmt: skip


def prepared(folder: Path) -> Path:
    """A study with its model."""
    write_study(folder, count=IMAGES)
    write_model(folder / "model")
    return folder


def run_folder(folder: Path) -> Path:
    """The one that the command made."""
    (made,) = (path for path in (folder / "out").iterdir() if path.is_dir())
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run, its lock aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def started(folder: Path, *extra: str) -> subprocess.Popen[str]:
    """The run, under way."""
    return subprocess.Popen(
        command(folder, *extra), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def workers_of(process: int) -> list[int]:
    """The processes below the one that forks workers."""
    return [worker for server in _children(process) for worker in _children(server)]


def _children(process: int) -> Iterator[int]:
    for path in Path("/proc").iterdir():
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except (OSError, NotADirectoryError):
            continue
        if path.name.isdigit() and int(fields[1]) == process:
            yield int(path.name)


def disturbed(folder: Path, moment: float, victim: str) -> str:
    """What became of a run in which somebody was killed after `moment` seconds."""
    run = forked(folder)
    time.sleep(moment)
    hit = killed([run] if victim == "run" else workers_of(run))
    code = waited(run)
    if code == -signal.SIGKILL:
        return "killed"
    said = (folder / "said.txt").read_text()[-2000:]
    ended = "HANGS" if code is None else "finished" if code == 0 else f"EXIT {code}: {said}"
    return ended if hit else f"{NOBODY}, {ended}"


def killed(processes: list[int]) -> bool:
    """Whether there was one to kill."""
    if not processes:
        return False
    try:
        os.kill(random.choice(processes), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def forked(folder: Path) -> int:
    """The process of a run that begins with torch loaded: seconds that no kill should have to wait for.

    Nothing here starts a thread or a worker before, so that a fork is as good as a start.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        code = cli.main(command(folder)[3:])
    except BaseException:  # noqa: BLE001  whatever it is, it is told and ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def waited(run: int) -> int | None:
    """Its exit code, negative for a signal; None where it does not end, and is then killed."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(run, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    return None


def campaign(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """Outcomes of `count` kills; whenever a run has finished, its bytes are held against the undisturbed."""
    start = time.monotonic()
    assert waited(forked(folder)) == 0
    seconds = time.monotonic() - start
    run = run_folder(folder)
    expected = contents(run)
    shutil.rmtree(run)
    chances, outcomes = random.Random(seed), Counter[str]()
    for number in range(count):
        victim = "run" if number % 2 else "worker"
        outcome = disturbed(folder, chances.uniform(0, seconds), victim)
        outcomes[f"{victim}: {outcome}"] += 1
        if outcome.endswith("finished"):
            outcomes[_compared(folder, expected)] += 1
    assert waited(forked(folder)) == 0
    outcomes[_compared(folder, expected)] += 1
    return outcomes


def _compared(folder: Path, expected: dict[str, bytes]) -> str:
    """Of a finished run, which is then removed; a case whose worker died twice is tried again first."""
    run = run_folder(folder)
    found = contents(run)
    if any(name.endswith("skipped.json") for name in found):
        assert waited(forked(folder)) == 0
        found = contents(run)
    shutil.rmtree(run)
    changed = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
    return f"OTHER BYTES: {sorted(changed)[:5]}" if changed else "same bytes"


def is_fault(outcome: str) -> bool:
    """Whether an outcome may not be."""
    return any(word in outcome for word in ("HANGS", "EXIT", "OTHER"))


def main() -> int:
    """Exit code."""
    parser = ArgumentParser(description="Kills at random moments.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=6)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", PREPARE, folder], check=True)
        outcomes = campaign(Path(folder), count=options.count, seed=options.seed)
    sys.stdout.writelines(f"{count:5} × {outcome}\n" for outcome, count in outcomes.most_common())
    return 1 if any(map(is_fault, outcomes)) else 0


if __name__ == "__main__":
    sys.exit(main())

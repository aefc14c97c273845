"""Faults: kill a run or its workers at random moments, and resume it.

`python -m tests.faults [--count 100]` exits with 1 if a resumed run ended with different bytes.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import warm
from tests.study import write_model, write_study

IMAGES = 16
NOBODY = "nobody there"
"""Outcome if no worker was alive at that moment; such a trial proves nothing."""


def command(folder: Path, *extra: str) -> list[str]:
    """The command line of an audit of the study in `folder`."""
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
    """The run folder that the command made."""
    (made,) = (path for path in (folder / "out").iterdir() if path.is_dir())
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run except its lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def workers_of(process: int) -> list[int]:
    """The worker processes: children of the process that forks them."""
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
    """The outcome of a run in which a process was killed after `moment` seconds."""
    run = warm.started(command(folder))
    time.sleep(moment)
    hit = killed([run.pid] if victim == "run" else workers_of(run.pid))
    try:
        code = run.wait()
    except subprocess.TimeoutExpired:
        return "HANGS"
    if code == -signal.SIGKILL:
        return "killed"
    ended = "finished" if code == 0 else f"EXIT {code}: {(run.stdout + run.stderr)[-2000:]}"
    return ended if hit else f"{NOBODY}, {ended}"


def killed(processes: list[int]) -> bool:
    """Kill one of the processes; whether there was one."""
    if not processes:
        return False
    try:
        os.kill(random.choice(processes), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def campaign(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """Outcomes of `count` kills; finished runs are compared byte by byte with an undisturbed run."""
    warm.run([*command(folder)[:3], "--version"])  # the server has started when this returns
    start = time.monotonic()
    assert warm.run(command(folder)).returncode == 0
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
    assert warm.run(command(folder)).returncode == 0
    outcomes[_compared(folder, expected)] += 1
    return outcomes


def _compared(folder: Path, expected: dict[str, bytes]) -> str:
    """The outcome of a finished run, which is then removed. Cases whose worker died are retried first."""
    run = run_folder(folder)
    found = contents(run)
    if any(name.endswith("skipped.json") for name in found):
        assert warm.run(command(folder)).returncode == 0
        found = contents(run)
    shutil.rmtree(run)
    changed = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
    return f"OTHER BYTES: {sorted(changed)[:5]}" if changed else "same bytes"


def is_fault(outcome: str) -> bool:
    """Whether an outcome is a failure of the test."""
    return any(word in outcome for word in ("HANGS", "EXIT", "OTHER"))


def main() -> int:
    """The exit code."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # runs on both sides of midnight give the same bytes
    parser = ArgumentParser(description="Kills at random moments.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=6)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        outcomes = campaign(prepared(Path(folder)), count=options.count, seed=options.seed)
    sys.stdout.writelines(f"{count:5} × {outcome}\n" for outcome, count in outcomes.most_common())
    return 1 if any(map(is_fault, outcomes)) else 0


if __name__ == "__main__":
    sys.exit(main())

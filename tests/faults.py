"""Faults: kill a run or its workers at random moments, and resume it.

`python -m tests.faults [--count 100] [--seed 6] [--load 8]` exits with 1 if a resumed run ended with
different bytes, or a run did not end in its time. With --load, as many processes keep the cores busy all the
while. The seed names moments and victims; --first goes on with a campaign that was broken off.
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
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import warm
from tests.study import write_model, write_study
from tests.volatile import contents

IMAGES = 12
SLOWER = 10
"""A run that takes so many times the undisturbed one's time, and at least LEAST_SECONDS, hangs."""
LEAST_SECONDS = 120
REPLICATES = 20
ANYTHING = "{weights: strong, card: strong, masks: strong}"
"""Suspicion that no policy forbids."""
POLLING = 0.02
"""Seconds between two looks for a worker to kill."""
NOBODY = "nobody there"
"""Outcome if no worker was alive at that moment; such a trial proves nothing."""


def command(folder: Path, *extra: str) -> list[str]:
    """The command line of an audit of the study in `folder`."""
    return [
        sys.executable, "-m", "pipeline.cli", "audit", "--studies", str(folder / "images"),
        "--annotations", str(folder), "--model", str(folder / "model" / "tiny.yaml"),
        "--out", str(folder / "out"),
        "--set", "workers=2", "--set", "batch_size=2", "--set", f"statistics.replicates={REPLICATES}",
        "--set", "burned_in_text.look=contrast", "--set", f"policy.max_suspicion={ANYTHING}", *extra,
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


def disturbed(folder: Path, moment: float, victim: str, *, chances: random.Random, seconds: float) -> str:
    """The outcome of a run in which a process was killed after `moment` of its usual `seconds`."""
    run = warm.started(command(folder))
    time.sleep(moment)
    hit = killed([run.pid] if victim == "run" else workers_of(run.pid), chances)
    while not hit and not run.has_ended():  # workers start after the process
        time.sleep(POLLING)
        hit = killed(workers_of(run.pid), chances)
    try:
        code = run.wait(max(LEAST_SECONDS, SLOWER * seconds))
    except subprocess.TimeoutExpired:
        return "HANGS"
    if code == -signal.SIGKILL:
        return "killed"
    ended = "finished" if code == 0 else f"EXIT {code}: {(run.stdout + run.stderr)[-2000:]}"
    return ended if hit else f"{NOBODY}, {ended}"


def killed(processes: list[int], chances: random.Random | None = None) -> bool:
    """Kill one of the processes; whether there was one."""
    if not processes:
        return False
    try:
        os.kill((chances or random.Random(0)).choice(processes), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes keep the cores busy inside the block; they end with it, and with this process."""
    spinning = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: sum(range(10**6))"
    started = [subprocess.Popen([sys.executable, "-c", spinning]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def campaign(folder: Path, *, count: int, seed: int, first: int = 0) -> Counter[str]:
    """Outcomes of `count` kills; finished runs are compared byte by byte with an undisturbed run.

    The kills are numbered from `first`; a kill's moment depends on seed and number alone.
    """
    warm.run([*command(folder)[:3], "--version"])  # the server has started when this returns
    start = time.monotonic()
    assert warm.started(command(folder)).wait() == 0
    seconds = time.monotonic() - start
    run = run_folder(folder)
    expected = contents(run)
    shutil.rmtree(run)
    outcomes = Counter[str]()
    for number in range(first, first + count):
        chances = random.Random(f"{seed} {number}")
        victim = "run" if number % 2 else "worker"
        moment = chances.uniform(0, seconds)
        outcome = disturbed(folder, moment, victim, chances=chances, seconds=seconds)
        outcomes[f"{victim}: {outcome}"] += 1
        compared = _compared(folder, expected) if outcome.endswith("finished") else ""
        outcomes.update([compared] if compared else [])
        _tell(f"{number:4}  {victim} after {moment:.1f} of {seconds:.1f} s: {outcome} {compared}")
    assert warm.started(command(folder)).wait() == 0
    outcomes[_compared(folder, expected)] += 1
    return outcomes


def _tell(line: str) -> None:
    sys.stdout.write(line.strip("\n") + "\n")
    sys.stdout.flush()


def _compared(folder: Path, expected: dict[str, bytes]) -> str:
    """The outcome of a finished run, which is then removed. Cases whose worker died are retried first."""
    run = run_folder(folder)
    found = contents(run)
    if any(name.endswith("skipped.json") for name in found):
        assert warm.started(command(folder)).wait() == 0
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
    parser.add_argument("--first", type=int, default=0, help="number of the first kill (default 0)")
    parser.add_argument("--load", type=int, default=0, help="processes that keep the cores busy (default 0)")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, busy(options.load):
        outcomes = campaign(
            prepared(Path(folder)), count=options.count, seed=options.seed, first=options.first
        )
    sys.stdout.writelines(f"{count:5} × {outcome}\n" for outcome, count in outcomes.most_common())
    return 1 if any(map(is_fault, outcomes)) else 0


if __name__ == "__main__":
    sys.exit(main())

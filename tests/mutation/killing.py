"""Killing mutants: tests run on a copy of the project in which one module is mutated."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.sampling import source_of

COPIED = ("pyproject.toml", "pipeline", "tests", "configs", "README.md", "reports/README.md")
WHOLE_RUNS = ("tests/test_audit_statistics.py", "tests/test_audit.py", "tests/test_score.py")
SLOW = "not stopped and not cannot_start"
"""pytest -k expression for the whole runs: without the tests that start many Python processes."""
PASSED, NO_TESTS = 0, 5
"""Exit codes of pytest."""
PATIENCE = 5
"""Time limit of a mutant's tests, as a multiple of the time without a mutant; the machine may be shared."""
SHORTEST_SECONDS = 60.0
TIME_OUT = "time-out"


class NotTestedError(Exception):
    """The tests cannot be run, so the mutant is neither killed nor alive."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of the project whose modules may be changed."""

    root: Path

    def killer(self, module: str, mutant: Mutant, *, seconds: float) -> str | None:
        """First test that fails with the mutant, or TIME_OUT; None if the mutant survives."""
        path = source_of(self.root, module)
        source = path.read_text(encoding="utf-8")
        path.write_text(mutant.applied(source), encoding="utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        try:
            failures = (self.failure(stage, seconds=seconds) for stage in self.stages(module))
            return next((failed for failed in failures if failed is not None), None)
        finally:
            path.write_text(source, encoding="utf-8")

    def stages(self, module: str) -> Iterator[list[str]]:
        """Arguments of successive pytest runs: the module's own tests, its room's tests, whole runs."""
        room, _, stem = module.partition("/")
        own = f"tests/{room}/test_{stem}.py"
        if (self.root / own).exists():
            yield [own]
        if any(path.name != Path(own).name for path in (self.root / "tests" / room).glob("test_*.py")):
            yield [f"tests/{room}", f"--ignore={own}"]
        yield from self._whole_runs()

    def seconds(self, rooms: Sequence[str]) -> float:
        """Time limit of a stage in seconds, from the time that it takes without a mutant.

        Raises NotTestedError if a test fails without a mutant. The bytecode is kept for the later runs.
        """
        longest = 0.0
        for stage in (*([f"tests/{room}"] for room in rooms), *self._whole_runs()):
            start = time.monotonic()
            failed = self.failure(stage, seconds=None, keep_bytecode=True)
            if failed is not None:
                raise NotTestedError(f"{failed} fails without a mutant; mend it first")
            longest = max(longest, time.monotonic() - start)
        return max(PATIENCE * longest, SHORTEST_SECONDS)

    def failure(
        self, arguments: Sequence[str], *, seconds: float | None, keep_bytecode: bool = False
    ) -> str | None:
        """First test that fails, or TIME_OUT; None if all pass."""
        code, output = self._pytest(arguments, seconds, keep_bytecode=keep_bytecode)
        if code is None:
            return TIME_OUT
        if code == PASSED:
            return None
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", output, flags=re.MULTILINE)
        if found is None and code > 0:
            raise NotTestedError(f"{' '.join(arguments)}: pytest ended with {code}\n{output[-2000:]}")
        return found[1] if found else f"signal {-code}"

    def _whole_runs(self) -> Iterator[list[str]]:
        existing = [path for path in WHOLE_RUNS if (self.root / path).exists()]
        if existing:
            yield [*existing, "-k", SLOW]

    def _pytest(
        self, arguments: Sequence[str], seconds: float | None, *, keep_bytecode: bool
    ) -> tuple[int | None, str]:
        """Exit code and output of pytest; None after a time-out, which ends all its processes."""
        environment = os.environ | {"PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        if not keep_bytecode:  # the next mutant of the same length would load it
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output = run.communicate(timeout=seconds)[0]
        except BaseException as error:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                return None, ""
            raise
        return run.returncode, output


def copied(root: Path, folder: Path) -> Tree:
    """Copy the files that tests need from `root` to a new folder, with existing bytecode."""
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, target)
        elif (root / name).exists():
            shutil.copy2(root / name, target)
    return Tree(folder)

"""Scale: statistics and verdict of very many finished cases; exits with 1 if a promise is missed.

The cases are made without images, see `tests.scale.finished_cases`, in `--folder` or a temporary folder; what
is there is used again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.config import Policy
from pipeline.executors.pool import Pool
from pipeline.metrics.lesions import Rule
from pipeline.run.grouping import Grouping
from pipeline.run.tables import Results, write_tables
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from tests.bench.memory import tree_memory
from tests.scale.finished_cases import BASELINES, FINDINGS, NETWORK, cases_of, write_finished

CASES = 100_000
MOST_SECONDS, MOST_MIB = 600, 2048
"""Promised for `CASES` on two cores: statistics, verdict and report, and all processes together."""
AT_ONCE = 500
"""Cases that a process makes at a time."""


def main() -> int:
    """Print seconds, peak memory and the size of the folder; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help=f"default {CASES:,}")
    parser.add_argument("--folder", type=Path, help="kept, and used again")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        run = folder / f"{options.cases}"
        made = timed(lambda: make_cases(run, options.cases))
        with tree_memory() as peak:
            seconds = timed(lambda: tables_of(run, options.cases))
            highest = peak() / 2**20
        return told(run, options.cases, {"cases made": made, "statistics and verdict": seconds}, highest)


def make_cases(run: Path, count: int) -> None:
    """Write the cases that are not there yet, on all cores."""
    parts = [range(start, min(start + AT_ONCE, count)) for start in range(0, count, AT_ONCE)]
    missing = [part for part in parts if not (run / "cases" / f"case-{part[-1]:012x}" / "case.json").exists()]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(write_finished, [run] * len(missing), missing))


def tables_of(run: Path, count: int) -> Results:
    """Write every table of the run, as an audit does."""
    with Pool(preload=("pipeline.run.finished",)) as pool:
        return write_tables(
            run,
            cases_of(count),
            options=StatisticsOptions(FINDINGS, (NETWORK,), BASELINES, Resampling()),
            matching=Rule(),
            grouping=Grouping(("sex", "view", "age", "manufacturer")),
            policy_limits=Policy(),
            skipped=(),
            executor=pool,
        )


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def told(run: Path, count: int, seconds: dict[str, float], peak_mib: float) -> int:
    """Print the table; 1 if a promise is missed."""
    size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    promised = seconds["statistics and verdict"]
    rows = [
        *((name, f"{value:.0f} s", "") for name, value in seconds.items() if name == "cases made"),
        ("statistics and verdict", f"{promised:.0f} s", _kept(promised, MOST_SECONDS, "s", count)),
        ("peak memory, all processes", f"{peak_mib:.0f} MiB", _kept(peak_mib, MOST_MIB, "MiB", count)),
        ("folder", f"{size / 2**20:.0f} MiB, {size / count / 1000:.0f} kB a case", ""),
    ]
    table = Table("what", "found", "promise", box=None, pad_edge=False)
    table.title = f"{count:,} finished cases, {len(FINDINGS)} findings, {len(BASELINES) + 1} maps"
    for row in rows:
        table.add_row(*row)
    Console(width=120, soft_wrap=True, highlight=False).print(table)
    return int(any("MISSED" in row[2] for row in rows))


def _kept(value: float, most: float, unit: str, count: int) -> str:
    """The promise, and whether it is kept; it is of `CASES`, so that fewer must keep it, too."""
    return f"at most {most} {unit}" + (
        " MISSED" if value > most else "" if count >= CASES else f" of {CASES:,}"
    )


if __name__ == "__main__":
    sys.exit(main())

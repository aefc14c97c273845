"""Made run: seconds, memory, size and browser times of a run of finished cases that were made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.table import Table

from pipeline.config import Policy
from pipeline.contracts import Executor
from pipeline.executors.pool import Pool
from pipeline.metrics.lesions import Rule
from pipeline.reporting.run_folder import pages_of
from pipeline.reporting.survey import Survey
from pipeline.run.closing import close_run
from pipeline.run.grouping import Grouping
from pipeline.run.tables import write_tables
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.effects import StatisticsOptions
from tests.bench.promises import Promises
from tests.bench.sampled import tree_memory
from tests.bench.timing import timed
from tests.scale.browsing import NO_BROWSER, browsed
from tests.scale.finished_cases import (
    BASELINES,
    FINDINGS,
    METHODS,
    NETWORK,
    cases_of,
    packed_case,
    write_finished,
)
from tests.scale.finished_run import write_facts, write_pages

MOST_SECONDS, MOST_MIB = 600, 2048
"""Promised of 100,000 cases on two cores: statistics, verdict and report, and all processes together."""
MOST_PAINT_SECONDS, MOST_FILTER_SECONDS = 2.0, 0.3
WHOLE, MEMORY = "statistics, verdict and report", "peak memory, all processes"
AT_ONCE = 500
"""Cases that a process makes at a time."""


def made_run(folder: Path, count: int, promises: Promises) -> Table:
    """Make so many cases, and write and open the report of their run; what it took, beside the promises."""
    run = folder / f"{count}"
    made = timed(partial(make_cases, run, count))
    table = Table("what", "found", "peak MiB until then", "promised", box=None, pad_edge=False)
    table.title = f"{count:,} finished cases, {len(FINDINGS)} findings, {len(METHODS)} maps"
    table.add_row("cases made", f"{made:.0f} s")
    whole = 0.0
    with tree_memory() as peak:
        for what, seconds in _steps(run, count):
            whole += seconds
            table.add_row(what, f"{seconds:.0f} s", f"{peak() / 2**20:.0f}")
        mebibytes = peak() / 2**20
    kept = promises.at_most(WHOLE, whole, MOST_SECONDS), promises.at_most(MEMORY, mebibytes, MOST_MIB)
    table.add_row(WHOLE, f"{whole:.0f} s", "", f"{kept[0]} s")
    table.add_row(MEMORY, f"{mebibytes:.0f} MiB", "", f"{kept[1]} MiB")
    size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    pages = len(pages_of(run) or ())
    of_folder = f"{size / 2**20:.0f} MiB, {size / count / 1000:.1f} kB an image"
    table.add_row(f"folder, {pages:,} images with a page", of_folder)
    if (times := browsed(run / "index.html")) is None:
        table.caption = NO_BROWSER
        return table
    for found, most in ((times.of_worklist, MOST_PAINT_SECONDS), (times.of_filters, MOST_FILTER_SECONDS)):
        for what, took in found.items():
            table.add_row(what, f"{took:.2f} s", "", f"{promises.at_most(what, took, most)} s")
    return table


def make_cases(run: Path, count: int) -> None:
    """Write the cases that are not there yet, on all cores."""
    parts = [range(start, min(start + AT_ONCE, count)) for start in range(0, count, AT_ONCE)]
    missing = [part for part in parts if not packed_case(run, part[-1]).exists()]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(write_finished, [run] * len(missing), missing))


def _steps(run: Path, count: int) -> Iterator[tuple[str, float]]:
    """What an audit does when its images are finished, and the seconds that it took."""
    surveyed: list[Survey] = []
    with Pool(preload=("pipeline.run.finished",)) as pool:
        yield "statistics and verdict", timed(partial(write_tables_of, run, count, pool))
        yield "pages of chosen images", timed(lambda: surveyed.append(write_pages(run, pool)))
        yield "report and hashes", timed(lambda: close_run(run, *surveyed))


def write_tables_of(run: Path, count: int, executor: Executor) -> None:
    """Write every table of the run, as an audit does, and its manifest."""
    results = write_tables(
        run,
        cases_of(count),
        options=StatisticsOptions(FINDINGS, (NETWORK,), BASELINES, Resampling()),
        matching=Rule(),
        grouping=Grouping(("sex", "view", "age", "manufacturer")),
        policy_limits=Policy(),
        skipped=(),
        executor=executor,
    )
    write_facts(run, results)

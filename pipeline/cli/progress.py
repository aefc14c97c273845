"""Progress: what a command does before its first image, and how far it is, on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from pipeline.cli.terminal import visible
from pipeline.records import Progress

PLAIN_LINES = 10
"""Number of progress lines that a run prints without a terminal."""
LEAST_SECONDS = 0.5
"""Time from which on a pace is shown: several images that one batch finishes come at once."""
LEAST_BATCHES = 3
"""Batches after which a pace is shown: the first ones include what starts and warms up."""
MINUTE, HOUR = 60, 3600


def tell_on(console: Console) -> Callable[[str], None]:
    """A function that prints a step as a line."""

    def tell(step: str) -> None:
        console.print(f"{visible(step)} …")

    return tell


@contextmanager
def progress_display(
    console: Console, *, verb: str = "Auditing", batch: int = 1
) -> Iterator[Callable[[Progress], None]]:
    """A function that shows the progress of a run: as a bar in a terminal, else as a few lines.

    `batch`: images that are finished at a time; no pace is shown before the third batch.
    """
    if not console.is_terminal:
        yield _lines(console, batch)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[skipped]} skipped"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("Preparing", total=None, pace="", skipped=0)
        pace_of, doing = _pace(batch), ""

        def show(progress: Progress) -> None:
            nonlocal pace_of, doing
            if progress.doing != doing:
                pace_of, doing = _pace(batch), progress.doing
            bar.update(
                task,
                description=progress.doing or verb,
                completed=progress.done,
                total=progress.total,
                pace=pace_of(progress),
                skipped=progress.skipped,
            )

        yield show


def _pace(batch: int) -> Callable[[Progress], str]:
    """Images per second and the time left, as text; empty before the third batch of this start.

    Counted from the first finished images, so that starting does not count.
    """
    start: int | None = None
    first: tuple[int, float] | None = None

    def pace(progress: Progress) -> str:
        nonlocal start, first
        start = progress.done if start is None else start
        if first is None and progress.done > start:
            first = progress.done, time.monotonic()
        if first is None or progress.done < start + LEAST_BATCHES * batch or progress.done == first[0]:
            return ""
        seconds = time.monotonic() - first[1]
        if seconds < LEAST_SECONDS:
            return ""
        rate = (progress.done - first[0]) / seconds
        return f"{rate:.1f} images/s, {_duration((progress.total - progress.done) / rate)} left"

    return pace


def _duration(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def _lines(console: Console, batch: int) -> Callable[[Progress], None]:
    pace_of, doing = _pace(batch), ""
    last_part = -1

    def show(progress: Progress) -> None:
        nonlocal pace_of, last_part, doing
        if not progress.total:
            return  # nothing to do, as with probes: off
        if progress.doing != doing:
            pace_of, last_part, doing = _pace(batch), -1, progress.doing
        pace = pace_of(progress)
        part = PLAIN_LINES * progress.done // max(progress.total, 1)
        if part > last_part:
            last_part = part
            start_of_line = f"{progress.doing} " if progress.doing else ""
            console.print(
                f"{start_of_line}{progress.done} of {progress.total} images, {progress.skipped} skipped"
                f"{', ' if pace else ''}{pace}"
            )

    return show

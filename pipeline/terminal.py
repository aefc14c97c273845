"""Terminal: what a command shows: progress, tables and single lines. No command prints in another way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from pipeline.names import HEADLINES
from pipeline.records import Progress, Skipped, Summary

PLAIN_LINES = 10
"""How many lines a run prints about its progress where there is no terminal."""

SET_ASIDE = {"index": "file", "annotations": "annotation", "heatmaps": "heatmap"}
"""What was skipped at a stage; an image at all others."""


def open_console(*, stderr: bool = False) -> Console:
    """Text as it is: names of findings and folders may hold brackets and colons."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)


@contextmanager
def shown(console: Console, *, verb: str = "Auditing") -> Iterator[Callable[[Progress], None]]:
    """Something that shows how far a run is: a bar in a terminal, else a line now and then."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[skipped]} skipped"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("Preparing", total=None, rate="", skipped=0)
        start, before = time.monotonic(), None

        def show(progress: Progress) -> None:
            nonlocal before
            before = progress.done if before is None else before
            rate = (progress.done - before) / max(time.monotonic() - start, 1e-9)
            bar.update(
                task,
                description=verb,
                completed=progress.done,
                total=progress.total,
                rate=f"{rate:.1f} images/s",
                skipped=progress.skipped,
            )

        yield show


def _lines(console: Console) -> Callable[[Progress], None]:
    start = time.monotonic()
    before: int | None = None
    shown = -1

    def show(progress: Progress) -> None:
        nonlocal before, shown
        before = progress.done if before is None else before
        part = PLAIN_LINES * progress.done // max(progress.total, 1)
        if part > shown:
            shown = part
            rate = (progress.done - before) / max(time.monotonic() - start, 1e-9)
            pace = (
                f", {rate:.1f} images/s, {(progress.total - progress.done) / rate:.0f} s left" if rate else ""
            )
            console.print(f"{progress.done} of {progress.total} images, {progress.skipped} skipped{pace}")

    return show


def headline_table(summaries: Sequence[Summary], findings: Sequence[str]) -> str:
    """Hit rate and overlap of network and baselines, a row a finding, reader and method; never folded."""
    there = {summary.metric for summary in summaries}
    shown = [metric for metric in HEADLINES if metric in there]
    found: dict[tuple[str, str, str], dict[str, Summary]] = {}
    for summary in summaries:
        if summary.metric in shown and summary.n and summary.finding in findings:
            key = (summary.finding, summary.reader, summary.method)
            found.setdefault(key, {})[summary.metric] = summary
    rows = [("finding", "reader", "method", *shown)]
    rows += [(*key, *(_estimate(of.get(metric)) for metric in shown)) for key, of in found.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _estimate(summary: Summary | None) -> str:
    if summary is None or summary.estimate is None:
        return "–"
    if summary.low is None or summary.high is None:
        return f"{summary.estimate:.3f} (n {summary.n})"
    return f"{summary.estimate:.3f} [{summary.low:.3f}–{summary.high:.3f}] (n {summary.n})"


def verdict_lines(run: Path) -> Iterator[str]:
    """A line a finding: what the report says first."""
    from pipeline.reporting.headlines import skill_of  # noqa: PLC0415  # loads numpy
    from pipeline.reporting.run_folder import read_run  # noqa: PLC0415
    from pipeline.reporting.verdict import verdicts  # noqa: PLC0415

    folder = read_run(run)
    for verdict in verdicts(folder):
        skill = skill_of(folder, verdict.finding)
        told = f"; skill in pointing {skill.text} {skill.interval}".rstrip() if skill and skill.text else ""
        yield f"{verdict.finding}: {verdict.title}{told}"


def set_aside(skipped: Sequence[Skipped]) -> str:
    """Of what kind they are: "; 7 files, 44 annotations set aside, see skipped.csv"."""
    kinds = Counter(SET_ASIDE.get(entry.stage, "image") for entry in skipped)
    listed = ", ".join(f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in kinds.items())
    return f"; {listed} set aside, see skipped.csv" if listed else ""


def policy_line(row: Mapping[str, Any]) -> str:
    """What one limit came to."""
    found = "no number" if row["estimate"] is None else f"found {row['estimate']:.3g}"
    return f"Policy {row['outcome']}: {row['finding']}, {row['rule']} {row['limit']:g}, {found}"


def _difference(row: Mapping[str, Any]) -> Iterator[str]:
    def shown(*names: str) -> list[str]:
        return ["-" if row[name] is None else f"{row[name]:.3f}" for name in names]

    yield from (row["finding"], row["reader"], row["metric"], f"{row['n']:,}")
    yield from shown("first_estimate", "second_estimate")
    apart, low, high = shown("difference", "difference_low", "difference_high")
    yield f"{apart} [{low}, {high}]"
    yield from shown("corrected_p")


def comparison_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows of a comparison of two runs, A and B."""
    table = Table("finding", "reader", "metric", "n", "A", "B", "A - B", "p (Holm)", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*_difference(row))
    return table

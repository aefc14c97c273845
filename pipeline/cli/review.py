"""Review: `heatproof review`, which merges reviewers' decisions."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.terminal import changed_lines, open_console, visible
from pipeline.reporting.words import plural
from pipeline.store.atomic import writing

if TYPE_CHECKING:  # loads pandas
    from pipeline.review.results import Review


def review(options: Namespace) -> int:
    """Merge decisions, print the agreement of the reviewers, and return the exit code."""
    from pipeline.review import results  # noqa: PLC0415  # loads the statistics

    console = open_console()
    with writing(options.run):
        result = results.review(options.run, options.decisions)
    for entry in result.agreements:
        low, high = entry.interval.low, entry.interval.high
        shown = "–" if entry.interval.estimate is None else f"{entry.interval.estimate:.3f}"
        bounds = "" if low is None or high is None else f" [{low:.3f} to {high:.3f}]"
        names = ", ".join(entry.reviewers)
        console.print(f"{entry.measure}  {entry.finding}  {names}  {shown}{bounds} (n {entry.n:,})")
    console.print(
        f"{len(result.reviewed):,} contours and missed lesions reviewed, "
        f"{len(result.disputed):,} disputed, {result.wrong.count:,} annotations called wrong"
    )
    if result.open:
        cases = len({entry.case_id for entry in result.open})
        console.print(
            f"{len(result.open):,} contours and missed lesions of {cases:,} images have no answer: "
            "see standing 'open' in review.csv"
        )
    for line in changed_lines([options.run]):
        console.print(visible(line))
    if options.as_annotations:
        _write_annotations(options.run, result, options.as_annotations, console)
    console.print(f"Page: {result.page}")
    return 0


def _write_annotations(run: Path, result: Review, folder: Path, console: Console) -> None:
    from pipeline.reporting.run_folder import read_run  # noqa: PLC0415
    from pipeline.review.annotations import CAVEAT, CONFIG, write_annotations  # noqa: PLC0415

    with writing(folder):
        files = write_annotations(read_run(run), result.reviewed, folder)
    console.print(
        f"Annotations of {plural(len(files), 'reviewer')}: --annotations {folder} --config {folder / CONFIG}"
    )
    console.print(f"Warning: {CAVEAT}")

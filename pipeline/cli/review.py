"""Review: `heatproof review`, which merges reviewers' decisions."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.cli.terminal import changed_lines, open_console, visible
from pipeline.errors import ConfigError
from pipeline.reporting.words import plural
from pipeline.store.atomic import writing

if TYPE_CHECKING:  # loads pandas
    from pipeline.review.formats import Images
    from pipeline.review.results import Review
    from pipeline.review.tables import Progress

SUBJECTS = ("contour or missed lesion", "contours and missed lesions")
"""What reviewers answer: one, and several."""


def review(options: Namespace) -> int:
    """Merge decisions, print the agreement of the reviewers, and return the exit code."""
    from pipeline.review import results  # noqa: PLC0415  # loads the statistics

    console = open_console()
    if options.as_annotations:
        _refuse_full(options.as_annotations)
    earlier = results.reviewers_before(options.run)
    with writing(options.run):
        result = results.review(options.run, options.decisions)
    if gone := [name for name in earlier if name not in result.reviewers]:
        console.print(
            visible(
                f"Warning: the earlier review of this run, which this one replaces, had answers of "
                f"{', '.join(gone)}; to keep them, give the files of all reviewers together"
            )
        )
    for entry in result.agreements:
        low, high = entry.interval.low, entry.interval.high
        shown = "–" if entry.interval.estimate is None else f"{entry.interval.estimate:.3f}"
        bounds = "" if low is None or high is None else f" [{low:.3f} to {high:.3f}]"
        names = ", ".join(entry.reviewers)
        console.print(f"{entry.measure}  {entry.finding}  {names}  {shown}{bounds} (n {entry.n:,})")
    console.print(
        f"{plural(len(result.reviewed), *SUBJECTS)} reviewed, {len(result.disputed):,} disputed, "
        f"{plural(result.wrong.count, 'annotation')} called wrong"
    )
    if result.open:
        cases = len({entry.case_id for entry in result.open})
        console.print(
            f"Without an answer: {plural(len(result.open), *SUBJECTS)} of {plural(cases, 'image')}; see "
            "standing 'open' in review.csv"
        )
    for name, progress in result.progress().items():
        console.print(visible(_progress_line(name, progress)))
    for line in changed_lines([options.run]):
        console.print(visible(line))
    if options.as_annotations:
        _write_annotations(options, result, console)
    console.print(f"Page: {result.page}")
    return 0


def _refuse_full(folder: Path) -> None:
    """Refuse a folder that holds anything: masks of an earlier review would be read as those of this one."""
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(
            f"--as-annotations: {folder} is not empty, and files that are left there would be read as "
            "annotations of these reviewers; choose an empty or a new folder"
        )


def _progress_line(name: str, progress: Progress) -> str:
    parts = [f"{name}: {progress.answered:,} of {progress.asked:,} answered"]
    if progress.readings:
        parts.append(f"{plural(progress.readings, 'blind reading')}")
    if progress.second:
        parts.append(f"{progress.second:,} of {progress.disputed:,} disputed ones looked at again")
    return ", ".join(parts)


def _write_annotations(options: Namespace, result: Review, console: Console) -> None:
    from pipeline.reporting.run_folder import read_run  # noqa: PLC0415
    from pipeline.review.annotations import CONFIG, write_annotations  # noqa: PLC0415

    folder: Path = options.as_annotations
    images = _images(options)
    with writing(folder):
        written = write_annotations(
            read_run(options.run),
            result.reviewed,
            folder,
            readings=result.readings,
            mask_format=options.annotation_format,
            images=images,
        )
    count = plural(len(written.reviewers), "reviewer")
    console.print(f"Annotations of {count}: --annotations {folder} --config {folder / CONFIG}")
    if images is not None:
        console.print("They hold patients' identifiers: handle them as patient data")
    console.print(f"Warning: {written.caveat}")


def _images(options: Namespace) -> Images | None:
    """The images that the annotations refer to; None if their format refers to none."""
    from pipeline.cli.export import exporting  # noqa: PLC0415
    from pipeline.review.formats import FORMATS  # noqa: PLC0415

    with exporting():
        if not FORMATS[options.annotation_format].needs_images:
            return None
        from pipeline.delivery.reviewed import reviewed_images  # noqa: PLC0415  # loads highdicom
        from pipeline.reporting.run_folder import read_run  # noqa: PLC0415
    if options.studies is None:
        raise ConfigError(
            f"--studies: is missing; {options.annotation_format} refers to the images: give the folder that "
            "was audited, or choose another --annotation-format"
        )
    return reviewed_images(read_run(options.run), options.studies)

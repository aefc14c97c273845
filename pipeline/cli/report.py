"""Report: `heatproof report`, which writes a finished run's report again, as pages, one file or a PDF."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipeline.cli.pdf import check_pdf, line_of_pdf
from pipeline.cli.terminal import changed_lines, open_console, visible
from pipeline.errors import ConfigError
from pipeline.reporting.words import plural
from pipeline.store.atomic import make_folder, writing


def report(options: Namespace) -> int:
    """Write the report, and return the exit code."""
    from pipeline.run.report import redraw  # noqa: PLC0415  # loads numpy and the templates

    console = open_console()
    if options.single_file is not None and options.single_file.is_dir():
        raise ConfigError(f"--single-file: {options.single_file} is a folder; give the name of a file")
    check_pdf(options.pdf)
    if options.single_file is None:
        with writing(options.run):
            index = redraw(options.run)
        printed = f"Report: {index}"
    else:
        printed = _single_file(options)
    warn_of_changes([options.run], console)
    console.print(printed)
    if options.pdf is not None:
        from pipeline.filing.overview_pdf import overview_pdf  # noqa: PLC0415

        console.print(line_of_pdf(options.pdf, overview_pdf(options.run, options.pdf)))
    return 0


def warn_of_changes(runs: Sequence[Path], console: Console) -> None:
    """Print a warning for each run with files that are not as it wrote them."""
    for line in changed_lines(runs):
        console.print(visible(line))


def _single_file(options: Namespace) -> str:
    from pipeline.reporting.run_folder import pages_of  # noqa: PLC0415
    from pipeline.run.report import report_in_one_file  # noqa: PLC0415
    from pipeline.run_files.tables import read_rows  # noqa: PLC0415

    cases: int | list[str] | None = None
    if options.cases is not None:
        cases = int(options.cases) if options.cases.isdecimal() else options.cases.split(",")
    make_folder(options.single_file.parent)
    with writing(options.single_file):
        chosen = report_in_one_file(options.run, options.single_file, cases=cases)
    of, pages = sum(1 for _ in read_rows(options.run / "cases.csv")), pages_of(options.run)
    cases_in_file = cases_text(len(chosen), of, of if pages is None else len(pages))
    size = options.single_file.stat().st_size / 1e6
    return f"Report: {options.single_file} ({cases_in_file}, {size:.1f} MB)"


def cases_text(chosen: int, of: int, paged: int) -> str:
    """How many cases a file has, and how to get the others, of which `paged` have a page in the run."""
    if chosen == of:
        return f"all of {plural(of, 'case')}"
    if chosen == paged:
        return f"all {chosen:,} of {plural(of, 'case')} that have a page"
    takes = "all of them" if paged == of else "all that have a page"
    return f"{chosen:,} of {plural(of, 'case')}; --cases {paged} takes {takes}"

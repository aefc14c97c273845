"""Report: write the pages of a finished run, with the scripts of its threshold rules."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.contours import rule_scripts
from pipeline.errors import ConfigError
from pipeline.guards.symlinks import refuse_links
from pipeline.reporting import write_report
from pipeline.reporting.run_folder import MANIFEST
from pipeline.reporting.single_file import write_single_file
from pipeline.reporting.survey import Survey
from pipeline.run.output_hashes import note_later, pages_of
from pipeline.run_files.damage import damaged
from pipeline.run_files.objects import is_stored, read_manifest
from pipeline.run_files.scripts import incomplete
from pipeline.store.atomic import write_bytes, writing


def report(run: Path, surveyed: Survey | None = None) -> Path:
    """Write the report of a finished run; returns its overview page. `surveyed`: see `write_report`."""
    return write_report(run, rule_scripts=_scripts(run), write=write_bytes, surveyed=surveyed)


def redraw(run: Path) -> Path:
    """Write the report again, and note its pages in `later.json` if they are not as the run wrote them."""
    page = report(run)
    note_later(run, pages_of(run), by="report")
    return page


def report_in_one_file(
    run: Path, out: Path, *, cases: int | Sequence[str] | None, of_results: bool = False
) -> tuple[str, ...]:
    """Write the report as one file; returns the ids of its cases. See `reporting.single_file`.

    The run stays as it is: its pages are drawn again in a copy, so that a run can be shared and still be
    verified, and one that cannot be written to can be shared.
    """
    scripts = _scripts(run)
    with _copied(run) as copy:
        try:
            return write_single_file(
                copy, out, rule_scripts=scripts, cases=cases, write=write_bytes, of_results=of_results
            )
        except ConfigError as error:  # of a damaged file, which lies in the run as well
            raise ConfigError(str(error).replace(str(copy), str(run))) from error


@contextmanager
def _copied(run: Path) -> Iterator[Path]:
    """A copy of a run's folder under its name: of links, as far as the file system has them.

    Files are only ever replaced (`write_bytes`), so that what is written in the copy does not reach the run.
    """
    with ExitStack() as stack:
        try:
            place = stack.enter_context(TemporaryDirectory(dir=run.resolve().parent, prefix=".sharing-"))
        except OSError:  # a folder that cannot be written to
            place = stack.enter_context(TemporaryDirectory(prefix="heatproof-"))
        copy = Path(place).resolve() / run.resolve().name
        with writing(copy):
            shutil.copytree(run, copy, copy_function=_linked)
        yield copy


def _linked(source: str, target: str) -> None:
    """Link a file, or copy it where it cannot be linked."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _scripts(run: Path) -> dict[str, str]:
    """The scripts of the run's threshold rules. Raises ConfigError if the data of a case's page were cut."""
    refuse_links(run)
    for folder in (run / "cases").glob("*/"):
        if is_stored(folder / "case.json") and (broken := incomplete(folder)) is not None:
            raise damaged(broken, "is missing, or was cut")
    rules = read_manifest(run, needed=MANIFEST)["contours"]["rules"]
    return rule_scripts(rule["rule"] for rule in rules.values())

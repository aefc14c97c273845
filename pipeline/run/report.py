"""Report: write the pages of a finished run, with the scripts of its threshold rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.contours import rule_scripts
from pipeline.guards.symlinks import refuse_links
from pipeline.reporting import write_report
from pipeline.reporting.run_folder import MANIFEST
from pipeline.reporting.single_file import write_single_file
from pipeline.run.output_hashes import note_later, pages_of
from pipeline.run_files.damage import damaged
from pipeline.run_files.objects import read_manifest
from pipeline.run_files.scripts import incomplete
from pipeline.store.atomic import write_bytes


def report(run: Path) -> Path:
    """Write the report of a finished run; returns its overview page."""
    return write_report(run, rule_scripts=_scripts(run), write=write_bytes)


def redraw(run: Path) -> Path:
    """Write the report again, and note its pages in `later.json` if they are not as the run wrote them."""
    page = report(run)
    note_later(run, pages_of(run), by="report")
    return page


def report_in_one_file(
    run: Path, out: Path, *, cases: int | Sequence[str] | None, of_results: bool = False
) -> tuple[str, ...]:
    """Write the report as one file; returns the ids of its cases. See `reporting.single_file`."""
    chosen = write_single_file(
        run, out, rule_scripts=_scripts(run), cases=cases, write=write_bytes, of_results=of_results
    )
    note_later(run, pages_of(run), by="report")
    return chosen


def _scripts(run: Path) -> dict[str, str]:
    """The scripts of the run's threshold rules. Raises ConfigError if the data of a case's page were cut."""
    refuse_links(run)
    for case in (run / "cases").glob("*/case.json"):
        if (broken := incomplete(case.parent)) is not None:
            raise damaged(broken, "is missing, or was cut")
    rules = read_manifest(run, needed=MANIFEST)["contours"]["rules"]
    return rule_scripts(rule["rule"] for rule in rules.values())

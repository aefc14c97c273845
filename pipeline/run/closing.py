"""Closing: the last steps of a run: its end is noted, its pages are drawn, and all files are hashed."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.survey import Survey
from pipeline.run.attempts import finish_attempt
from pipeline.run.output_hashes import hash_outputs, write_output_hashes
from pipeline.run.report import report


def close_run(run: Path, surveyed: Survey | None = None) -> Path:
    """Write `outputs.sha256` and the report of a run whose tables are written; returns its overview page.

    `surveyed`: of the run's cases, if they were read already.

    The hashes of results come before the pages, which compare them with the files; those of pages after.
    """
    finish_attempt(run)
    results = hash_outputs(run, with_pages=False)
    write_output_hashes(run, results)
    page = report(run, surveyed)
    write_output_hashes(run, hash_outputs(run, known=results))
    return page

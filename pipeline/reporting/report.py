"""Report: index.html, one page a case and static files, written into a finished run folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.overview import overview
from pipeline.reporting.pages import Write, copy_static, environment_of_run, page
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.run_script import baselines_script, run_script
from pipeline.reporting.survey import Survey, survey
from pipeline.reporting.worklist import worklist, worklist_scripts

CASE_SCRIPTS = (
    "heatproof", "addresses", "decoding", "maps", "thresholds", "regions", "outlines", "overlap", "drawing",
    "window", "view", "colours", "words", "kept", "order", "elements", "layers", "stage", "scales", "panel",
    "contour-table", "threshold-panel", "readouts", "controls", "gestures", "keys", "shown", "frames", "now",
    "subjects", "decisions", "review", "commands", "redraw",
)  # fmt: skip
"""Of case pages, before the data and page.js: each needs only those before it."""
OVERVIEW_SCRIPTS = (
    "heatproof", "addresses", "kept", "order", "elements", "words", "subjects", "decisions", "worklist-rows",
    "worklist-table", "worklist-data",
)  # fmt: skip
"""Of the overview, before the parts of the worklist's data and what starts it."""
OVERVIEW_STARTS = ("worklist", "review-bar")


def write_report(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """The overview of a finished run, written last: where it is, all other pages are.

    The same run folder gives the same bytes. Each case is read once; its page is the same shell in every
    folder and drawn in the browser from the scripts beside it. Memory holds a few numbers a case.
    """
    folder = read_run(run)
    of_run = survey(folder)
    environment = environment_of_run(folder)
    _write_static(folder, of_run, write)
    shell = page(environment, "case.html", root="../../", scripts=CASE_SCRIPTS)
    _write_shells(folder, of_run, shell, write)
    index = run / "index.html"
    write(index, _overview(folder, of_run).encode())
    return index


def _overview(run: RunFolder, of_run: Survey) -> str:
    listed = worklist(run, of_run)
    scripts = (*OVERVIEW_SCRIPTS, *listed["scripts"], *OVERVIEW_STARTS)
    return page(
        environment_of_run(run),
        "overview.html",
        root="",
        scripts=scripts,
        worklist=listed,
        reviewed=(run.path / "review.html").exists(),
        **overview(run, of_run),
    )


def _write_static(run: RunFolder, of_run: Survey, write: Write) -> None:
    folder = copy_static(run.path, write=write)
    for old in folder.glob("worklist-*[0-9].js"):
        old.unlink()
    for name, text in worklist_scripts(run, of_run):
        write(folder / name, text.encode())


def _write_shells(run: RunFolder, of_run: Survey, shell: str, write: Write) -> None:
    """The page of every case, and what all of them share."""
    cases = run.path / "cases"
    cases.mkdir(exist_ok=True)
    write(cases / "run.js", run_script(run, of_run).encode())
    write(cases / "baselines.js", baselines_script(run).encode())
    content = shell.encode()
    for case_id in run.case_ids:
        write(run.case_folder(case_id) / "index.html", content)

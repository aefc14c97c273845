"""Report: write index.html, one page per case and the static files into a finished run folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pipeline.reporting import glossary
from pipeline.reporting.overview import overview
from pipeline.reporting.pages import UNDECODABLE, Write, copy_static, environment_of_run, glossary_page, page
from pipeline.reporting.run_folder import Case, RunFolder, read_run
from pipeline.reporting.run_script import baselines_script, run_script
from pipeline.reporting.survey import Survey, survey
from pipeline.reporting.thumbnails import OUTLINES, outlines_svg
from pipeline.reporting.worklist import worklist, worklist_scripts
from pipeline.run_files.parquet import LARGE, stored_table

CASE_SCRIPTS = (
    "regions", "outlines", "overlap", "drawing", "window", "presets", "view", "colours", "words", "kept",
    "order", "orientation", "ruler", "layouts", "margins", "elements", "terms", "layers", "stage", "lens",
    "scales", "panel", "contour-table", "threshold-panel", "readouts", "controls", "gestures", "keys",
    "shown", "frames", "now", "subjects", "decisions", "readings", "veil", "progress", "exports",
    "questions", "timing", "marks", "reading-panel", "reading", "review", "pictures", "measuring",
    "commands", "redraw", "save-files", "save-lines", "save-text", "save-shown", "save-panels",
    "save-figure", "save", "paper",
)  # fmt: skip
"""Scripts of case pages after the threshold rules and before the data and page.js."""
BEFORE_RULES = ("heatproof", "addresses", "decoding", "maps", "thresholds")
"""Scripts of case pages before the threshold rules. Each script needs only those before it."""
RULE = "rule-"
"""Prefix of the file name of a threshold rule's script."""
OVERVIEW_SCRIPTS = (
    "heatproof", "addresses", "kept", "order", "elements", "words", "subjects", "decisions", "readings",
    "veil", "worklist-rows", "progress", "exports", "worklist-lines", "worklist-table", "worklist-data",
)  # fmt: skip
"""Scripts of the overview before the data of worklist and run."""
OVERVIEW_STARTS = ("worklist", "review-bar")
"""Scripts of the overview after the worklist's data."""
RUN_DATA = ("cases/run.js",)
"""Data of the run on pages in its folder."""
READING_SCRIPTS = (
    "heatproof", "addresses", "kept", "elements", "words", "subjects", "decisions", "readings", "veil",
    "progress", "exports",
)  # fmt: skip
"""Scripts of the list of cases of a blind run, before the data of the run."""
READING_STARTS = ("reading-list", "review-bar")
RESULTS_PAGE = "overview.html"
"""Page of the results of a blind run, whose index.html is the list of cases to read."""


def write_report(
    run: Path,
    *,
    rule_scripts: Mapping[str, str],
    write: Write = Path.write_bytes,
    surveyed: Survey | None = None,
) -> Path:
    """Write the report of a finished run, and return the path of its overview, which is written last.

    `rule_scripts` are the JavaScript versions of the threshold rules, by rule name. `surveyed`: the survey of
    the run, if it was made already; then only cases with a page are read.

    The same run folder gives the same bytes. Each case is read once. All cases have the same page, which the
    browser draws from the scripts in the case's folder. Memory holds only a few numbers per case.
    """
    folder = read_run(run)
    if surveyed is None:
        surveyed = survey(folder, visit=partial(_write_outlines, folder, write))
    else:
        for case_id in filter(folder.has_page, folder.case_ids):
            _write_outlines(folder, write, folder.case(case_id))
    environment = environment_of_run(folder)
    _write_static(folder, surveyed, rule_scripts, write)
    scripts = (*BEFORE_RULES, *(f"{RULE}{name}" for name in rule_scripts), *CASE_SCRIPTS)
    shell = page(
        environment,
        "case.html",
        root="../../",
        scripts=scripts,
        data=("../run.js", "case.js", "pixels.js"),
        starts=("page",),
    )
    _write_shells(folder, surveyed, glossary.with_links(shell, "../../"), write)
    write(run / glossary.PAGE, glossary_page(environment, back="Report").encode("utf-8", UNDECODABLE))
    index, results = run / "index.html", run / RESULTS_PAGE
    if folder.is_blind:
        write(results, _overview(folder, surveyed).encode("utf-8", UNDECODABLE))
        write(index, _reading(folder).encode("utf-8", UNDECODABLE))
    else:
        results.unlink(missing_ok=True)  # of the same run, when it was to be read blind
        write(index, _overview(folder, surveyed).encode("utf-8", UNDECODABLE))
    return index


def _reading(run: RunFolder) -> str:
    """The first page of a blind run: the cases to read, without results."""
    return page(
        environment_of_run(run),
        "reading.html",
        root="",
        scripts=READING_SCRIPTS,
        data=RUN_DATA,
        starts=READING_STARTS,
        cases=len(run.case_ids),
        findings=run.findings,
    )


def _write_outlines(run: RunFolder, write: Write, case: Case) -> None:
    if run.has_page(case["case_id"]):
        write(run.case_folder(case["case_id"]) / OUTLINES, outlines_svg(case, run.network).encode())


def _overview(run: RunFolder, surveyed: Survey) -> str:
    listed = worklist(run, surveyed)
    drawn = page(
        environment_of_run(run),
        "overview.html",
        root="",
        home=RESULTS_PAGE if run.is_blind else "index.html",
        scripts=(*OVERVIEW_SCRIPTS, *listed["scripts"]),
        data=RUN_DATA,
        starts=OVERVIEW_STARTS,
        worklist=listed,
        reviewed=(run.path / "review.html").exists(),
        stored={name: stored_table(run.path / name).name for name in LARGE},
        **overview(run, surveyed),
    )
    return glossary.with_links(drawn, "")


def _write_static(run: RunFolder, surveyed: Survey, rule_scripts: Mapping[str, str], write: Write) -> None:
    folder = copy_static(run.path, write=write)
    for old in (*folder.glob("worklist-*[0-9].js"), *folder.glob(f"{RULE}*.js")):
        old.unlink()
    for name, text in rule_scripts.items():
        write(folder / f"{RULE}{name}.js", text.encode("utf-8", UNDECODABLE))
    for name, text in worklist_scripts(run, surveyed):
        write(folder / name, text.encode("utf-8", UNDECODABLE))


def _write_shells(run: RunFolder, surveyed: Survey, shell: str, write: Write) -> None:
    """Write the page of every case, and the scripts that all of them share."""
    cases = run.path / "cases"
    cases.mkdir(exist_ok=True)
    write(cases / "run.js", run_script(run, surveyed).encode("utf-8", UNDECODABLE))
    write(cases / "baselines.js", baselines_script(run).encode("utf-8", UNDECODABLE))
    content = shell.encode("utf-8", UNDECODABLE)
    for case_id in filter(run.has_page, run.case_ids):
        write(run.case_folder(case_id) / "index.html", content)

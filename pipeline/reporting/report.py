"""Report: index.html, one page a case and static files, written into a finished run folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.reporting import words
from pipeline.reporting.overview import overview
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.run_script import baselines_script, run_script
from pipeline.reporting.survey import Survey, survey, worklist_script

POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing from outside, nothing inline. In Chromium 'self' holds for pages opened from a folder, too."""

CASE_SCRIPTS = (
    "heatproof", "decoding", "maps", "thresholds", "regions", "outlines", "overlap", "drawing", "window",
    "view", "colours", "words", "kept", "order", "elements", "layers", "stage", "scales", "panel",
    "contour-table", "threshold-panel", "readouts", "controls", "gestures", "keys", "shown", "frames", "now",
    "commands", "redraw",
)  # fmt: skip
"""Of case pages, before the data and page.js: each needs only those before it."""


Write: TypeAlias = Callable[[Path, bytes], object]
"""How a file is written; a run hands in one that writes whole files or none."""


def write_report(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """The overview of a finished run, written last: where it is, all other pages are.

    The same run folder gives the same bytes. Each case is read once; its page is the same shell in every
    folder and drawn in the browser from the scripts beside it. Memory holds a few numbers a case.
    """
    folder = read_run(run)
    of_run = survey(folder)
    environment = _environment(folder)
    _write_static(folder, of_run, write)
    shell = _page(environment, "case.html", root="../../", scripts=CASE_SCRIPTS)
    _write_shells(folder, of_run, shell, write)
    index = run / "index.html"
    write(index, _page(environment, "overview.html", root="", **overview(folder, of_run)).encode())
    return index


def environment_of(**variables: object) -> Environment:
    """The templates with their filters; `variables` are known in each."""
    environment = Environment(
        loader=PackageLoader("pipeline.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "quantity": words.quantity,
        "reason": words.reason,
        "path": quote,
    }
    environment.globals |= {"policy": POLICY, "plural": words.plural, **variables}
    return environment


def copy_static(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """The folder with the pages' styles and scripts."""
    folder = run / "static"
    folder.mkdir(exist_ok=True)
    for source in resources.files("pipeline.reporting").joinpath("static").iterdir():
        write(folder / source.name, source.read_bytes())
    return folder


def _environment(run: RunFolder) -> Environment:
    return environment_of(
        run_id=run.manifest["run_id"],
        title=run.manifest.get("title") or run.manifest["run_id"],
        created=run.manifest.get("created", ""),
        version=run.manifest.get("version", ""),
        network=run.network or "",
    )


def _write_static(run: RunFolder, of_run: Survey, write: Write) -> None:
    folder = copy_static(run.path, write=write)
    write(folder / "worklist-data.js", worklist_script(run, of_run.rows).encode())


def _write_shells(run: RunFolder, of_run: Survey, shell: str, write: Write) -> None:
    """The page of every case, and what all of them share."""
    cases = run.path / "cases"
    cases.mkdir(exist_ok=True)
    write(cases / "run.js", run_script(run, of_run).encode())
    write(cases / "baselines.js", baselines_script(run).encode())
    content = shell.encode()
    for case_id in run.case_ids:
        write(run.case_folder(case_id) / "index.html", content)


def _page(environment: Environment, template: str, **variables: Any) -> str:
    return environment.get_template(template).render(variables)

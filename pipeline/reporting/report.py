"""Report: index.html, one page a case, pictures and static files, written into a finished run folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.reporting import pictures, words
from pipeline.reporting.case_page import case_page, heatmap_name, shown_findings
from pipeline.reporting.overview import overview
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.survey import Survey, scale_top, survey, worklist_script

POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing from outside, nothing inline. In Chromium 'self' holds for pages opened from a folder, too."""


def write_report(run: Path) -> Path:
    """The overview of a finished run, written last: where it is, all other pages are.

    The same run folder gives the same bytes. Memory holds a few numbers a case, and one case at a time.
    """
    folder = read_run(run)
    of_run = survey(folder)
    environment = _environment(folder)
    _write_static(folder, of_run)
    for number in range(len(folder.case_ids)):
        _write_case(folder, of_run, number, environment)
    index = run / "index.html"
    index.write_text(
        _page(environment, "overview.html", root="", **overview(folder, of_run)), encoding="utf-8"
    )
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


def copy_static(run: Path) -> Path:
    """The folder with the pages' styles and scripts."""
    folder = run / "static"
    folder.mkdir(exist_ok=True)
    for source in resources.files("pipeline.reporting").joinpath("static").iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    return folder


def _environment(run: RunFolder) -> Environment:
    return environment_of(
        run_id=run.manifest["run_id"],
        title=run.manifest.get("title") or run.manifest["run_id"],
        created=run.manifest.get("created", ""),
        version=run.manifest.get("version", ""),
        network=run.network or "",
    )


def _write_static(run: RunFolder, of_run: Survey) -> None:
    folder = copy_static(run.path)
    (folder / "scale.png").write_bytes(pictures.scale_picture())
    (folder / "worklist-data.js").write_text(worklist_script(run, of_run.rows), encoding="utf-8")


def _write_case(run: RunFolder, of_run: Survey, number: int, environment: Environment) -> None:
    case_id = run.case_ids[number]
    folder = run.case_folder(case_id)
    case, maps = run.case(case_id), run.heatmaps(case_id)
    units = {method.name: method.unit for method in run.methods}
    shown = shown_findings(run, case)
    for (method, finding), relevance in maps.items():
        if finding not in shown:
            continue
        picture = pictures.heatmap_picture(
            relevance,
            view=case["view"],
            shape=(case["rows"], case["columns"]),
            top=scale_top(of_run, relevance, method=method, finding=finding, unit=units[method]),
        )
        (folder / heatmap_name(run, method, finding)).write_bytes(picture)
    (folder / "thumbnail.jpg").write_bytes(pictures.thumbnail((folder / "image.png").read_bytes()))
    page = _page(environment, "case.html", root="../../", **case_page(run, of_run, number, case, maps))
    (folder / "index.html").write_text(page, encoding="utf-8")


def _page(environment: Environment, template: str, **variables: Any) -> str:
    return environment.get_template(template).render(variables)

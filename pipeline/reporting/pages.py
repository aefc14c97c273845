"""Pages: templates made into HTML of one look, under a policy that lets nothing in from outside."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder

Write: TypeAlias = Callable[[Path, bytes], object]
"""How a file is written; a run hands in a way that leaves whole files or none."""
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing from outside, nothing inline. In Chromium 'self' holds for pages opened from a folder, too."""


def environment_of(**variables: object) -> Environment:
    """The templates with their filters; `variables` are known in each.

    Text is escaped where it is put, and a name that nobody gave is an error.
    """
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


def environment_of_run(run: RunFolder) -> Environment:
    """The templates for the pages of a run."""
    return environment_of(
        run_id=run.manifest["run_id"],
        title=run.manifest.get("title") or run.manifest["run_id"],
        created=run.manifest.get("created", ""),
        version=run.manifest.get("version", ""),
        network=run.network or "",
    )


def copy_static(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """The folder with the pages' styles and scripts."""
    folder = run / "static"
    folder.mkdir(exist_ok=True)
    for source in resources.files("pipeline.reporting").joinpath("static").iterdir():
        write(folder / source.name, source.read_bytes())
    return folder


def page(environment: Environment, template: str, **variables: Any) -> str:
    """A page as HTML."""
    return environment.get_template(template).render(variables)

"""Pages: templates rendered as HTML, with a security policy that allows nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.reporting import glossary, words
from pipeline.reporting.run_folder import RunFolder

Write: TypeAlias = Callable[[Path, bytes], object]
"""Function that writes a file; runs pass one that writes atomically."""
UNDECODABLE = "backslashreplace"
"""How pages show bytes of names that are not UTF-8."""
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""Content security policy: nothing from outside, nothing inline. In Chromium, 'self' includes opened
folders."""


def environment_of(**variables: object) -> Environment:
    """The templates with their filters and with `variables`, which every template can use.

    All text is escaped, and an undefined variable is an error.
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
        "unbroken": words.unbroken,
    }
    environment.globals |= {"policy": POLICY, "plural": words.plural, "term": glossary.term, **variables}
    return environment


def environment_of_run(run: RunFolder) -> Environment:
    """The templates with the variables of a run."""
    return environment_of(
        run_id=run.manifest["run_id"],
        title=run.manifest.get("title") or run.manifest["run_id"],
        created=run.manifest.get("created", ""),
        version=run.manifest.get("version", ""),
        network=run.network or "",
        has_page=run.has_page,
    )


def copy_static(run: Path, *, write: Write = Path.write_bytes) -> Path:
    """Copy the pages' styles and scripts into the run folder, and return their folder."""
    folder = run / "static"
    folder.mkdir(exist_ok=True)
    for source in resources.files("pipeline.reporting").joinpath("static").iterdir():
        write(folder / source.name, source.read_bytes())
    return folder


def glossary_page(environment: Environment, *, back: str) -> str:
    """The page of the terms, for the same folder as index.html, which is called `back`."""
    return page(environment, "glossary.html", root="", back=back, **glossary.glossary_variables())


def page(environment: Environment, template: str, **variables: Any) -> str:
    """A rendered page as HTML."""
    return environment.get_template(template).render(variables)

"""Dossier: `heatproof dossier`, which fills forms from a finished run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.cli.pdf import check_pdf, line_of_pdf
from pipeline.cli.terminal import changed_lines, open_console, visible
from pipeline.errors import ConfigError
from pipeline.store.atomic import make_folder, write_bytes, writing


def add_dossier(dossier: ArgumentParser) -> None:
    """Add the options of `heatproof dossier`."""
    dossier.add_argument("run", type=Path, nargs="?", metavar="RUN", help="folder of a finished run")
    dossier.add_argument("--out", type=Path, metavar="FOLDER", help="new folder, or that of an older dossier")
    dossier.add_argument(
        "--intended-use",
        type=Path,
        metavar="FILE.yaml",
        help="what no program can know: intended use, population, sites, annotators, acceptance criteria, …",
    )
    dossier.add_argument(
        "--pdf",
        type=Path,
        metavar="OUT.pdf",
        help="also print all forms as a PDF, by an installed Chromium without network access",
    )
    dossier.add_argument(
        "--template", type=Path, metavar="FILE.yaml", help="only write the file of the intended use, empty"
    )


def dossier(options: Namespace) -> int:
    """Write a dossier, or the file of the intended use to fill in, and return the exit code."""
    console = open_console()
    if options.template is not None:
        _write_template(options.template)
        console.print(
            f"Intended use: {options.template}; fill in what you know, and give it as --intended-use"
        )
        return 0
    if options.run is None or options.out is None:
        raise ConfigError(
            "dossier: wants RUN and --out FOLDER, or --template FILE.yaml alone; give the folder of a "
            "finished run and a new folder"
        )
    check_pdf(options.pdf)
    from pipeline.dossier.write import write_dossier  # noqa: PLC0415  # loads numpy, scipy and the templates

    with writing(options.out):
        written = write_dossier(options.run, options.out, intended_use=options.intended_use)
    for line in changed_lines([options.run]):
        console.print(visible(line))
    width = max(len(filled.form.title) for filled in written.forms)
    for filled in written.forms:
        console.print(f"{filled.form.title:<{width}}  {filled.counted}")
    console.print(
        f"{written.open} different questions are open, some of them in several forms; {written.index} names "
        "each once"
    )
    console.print(f"Dossier: {written.whole}")
    if options.pdf is not None:
        from pipeline.filing.overview_pdf import html_to_pdf  # noqa: PLC0415

        pages = html_to_pdf(written.whole.read_text(encoding="utf-8"), options.pdf, run=options.run)
        console.print(line_of_pdf(options.pdf, pages))
    return 0


def _write_template(path: Path) -> None:
    from pipeline.dossier.intended_use import template  # noqa: PLC0415

    if path.exists():
        raise ConfigError(f"--template: {path} exists already; choose another file")
    make_folder(path.parent)
    with writing(path):
        write_bytes(path, template().encode())

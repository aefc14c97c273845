"""Export: `heatproof export`, which writes a run's results as DICOM objects of the patients' own studies."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.cli.terminal import aligned, changed_lines, open_console, visible
from pipeline.errors import ConfigError


def add_export(parser: ArgumentParser) -> None:
    """Add the options of `heatproof export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "--studies", type=Path, required=True, metavar="FOLDER", help="the study folder that was audited"
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="FOLDER",
        help="folder to write to, outside the run; only you can read it",
    )
    parser.add_argument(
        "--kinds", nargs="+", default=(), metavar="KIND", help="kinds of objects (default: all)"
    )
    parser.add_argument(
        "--pseudonymous",
        action="store_true",
        help="the same objects with the run's pseudonyms and without identifiers",
    )


def export(options: Namespace) -> int:
    """Write the objects and return the exit code."""
    with exporting():
        from pipeline.delivery.export import ExportOptions  # noqa: PLC0415
        from pipeline.delivery.export import export as export_run  # noqa: PLC0415  # loads highdicom
        from pipeline.delivery.folder import open_folder  # noqa: PLC0415
        from pipeline.exports import EXPORTS  # noqa: PLC0415
    for kind in options.kinds:
        EXPORTS.check(kind)
    console = open_console()
    folder = open_folder(
        Path(options.to), options.run, run_id=options.run.resolve().name, pseudonymous=options.pseudonymous
    )
    kinds = tuple(options.kinds) or EXPORTS.own
    done = export_run(
        options.run, options.studies, folder, ExportOptions(kinds, pseudonymous=options.pseudonymous)
    )
    folder.close(done.left_out)
    for line in changed_lines([options.run]):
        console.print(visible(line))
    rows = [(EXPORTS[kind].title, f"{done.counts.get(kind, 0):,}") for kind in kinds]
    console.print(visible(aligned([("objects", "number"), *rows])))
    if done.left_out:
        console.print(
            f"Not exported: {len(done.left_out):,}, listed with reasons in {folder.path / 'left_out.csv'}"
        )
    whose = "pseudonyms only" if options.pseudonymous else "patients' identifiers: handle it as patient data"
    console.print(visible(f"Export: {folder.path} ({whose})"))
    return 0


@contextmanager
def exporting() -> Iterator[None]:
    """Turn a missing package within the block into a ConfigError that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is missing, which exports need; pip install 'heatproof[export]'"
        ) from error

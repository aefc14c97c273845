"""Export: `heatproof export`, which writes a run's results as DICOM objects of the patients' own studies."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.terminal import aligned, changed_lines, open_console, visible
from pipeline.errors import ConfigError

if TYPE_CHECKING:  # loads highdicom
    from pipeline.delivery.destination import Delivery

DONE, REFUSED = 0, 1
ARCHIVES = ("dicomweb:", "dimse:")


def add_export(parser: ArgumentParser) -> None:
    """Add the options of `heatproof export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "--studies", type=Path, required=True, metavar="FOLDER", help="the study folder that was audited"
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="FOLDER|dicomweb:URL|dimse:AET@HOST:PORT",
        help="folder to write to, outside the run, which only you can read; or an archive to send to",
    )
    parser.add_argument(
        "--kinds", nargs="+", default=(), metavar="KIND", help="kinds of objects (default: all)"
    )
    parser.add_argument(
        "--pseudonymous",
        action="store_true",
        help="the same objects with the run's pseudonyms and without identifiers",
    )
    parser.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="for dicomweb: file that only you can read, with token, or certificate and key, and authority; "
        "or HEATPROOF_PACS_TOKEN, _CERTIFICATE, _KEY and _AUTHORITY",
    )
    parser.add_argument("--aet", metavar="TITLE", help="for dimse: the calling title (default: HEATPROOF)")
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FOLDER",
        help="for archives: where to note what was sent, so that the next try goes on (default: the folder "
        "'sent' beside the run)",
    )


def export(options: Namespace) -> int:
    """Write the objects and return the exit code: 1 if an archive refused some."""
    with exporting():
        from pipeline.delivery.export import ExportOptions  # noqa: PLC0415
        from pipeline.delivery.export import export as export_run  # noqa: PLC0415  # loads highdicom
        from pipeline.exports import EXPORTS  # noqa: PLC0415
    for kind in options.kinds:
        EXPORTS.check(kind)
    console = open_console()
    kinds = tuple(options.kinds) or EXPORTS.own
    with _destination(options) as destination:
        done = export_run(
            options.run, options.studies, destination, ExportOptions(kinds, pseudonymous=options.pseudonymous)
        )
        destination.close(done.left_out)
    for line in changed_lines([options.run]):
        console.print(visible(line))
    rows = [(EXPORTS[kind].title, f"{done.counts.get(kind, 0):,}") for kind in kinds]
    console.print(visible(aligned([("objects", "number"), *rows])))
    if done.left_out:
        console.print(f"Not exported: {len(done.left_out):,}, listed with reasons in left_out.csv there")
    for line in destination.lines():
        console.print(visible(line))
    return DONE if destination.is_complete else REFUSED


@contextmanager
def _destination(options: Namespace) -> Iterator[Delivery]:
    """The folder or archive that the options name. Raises ConfigError."""
    run_id = options.run.resolve().name
    if not options.to.startswith(ARCHIVES):
        _refuse(options, "credentials", "aet", "journal")
        if "://" in options.to:
            raise ConfigError("--to: is a URL, no folder; write dicomweb:https://… for an archive")
        from pipeline.delivery.folder import open_folder  # noqa: PLC0415

        yield open_folder(Path(options.to), options.run, run_id=run_id, pseudonymous=options.pseudonymous)
        return
    _refuse(options, "credentials" if options.to.startswith("dimse:") else "aet")
    try:
        from pipeline.delivery.archive import ArchiveOptions, open_archive  # noqa: PLC0415
        from pipeline.pacs.address import checked_title  # noqa: PLC0415
        from pipeline.pacs.credentials import read_credentials  # noqa: PLC0415
        from pipeline.pacs.dimse import OWN_TITLE  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--to: the package {error.name} is missing; pip install 'heatproof[pacs]'"
        ) from error
    archive = ArchiveOptions(
        credentials=read_credentials(options.credentials),
        title=checked_title(options.aet or OWN_TITLE, "--aet"),
        journal=options.journal,
    )
    with open_archive(
        options.to, options.run, run_id=run_id, pseudonymous=options.pseudonymous, options=archive
    ) as opened:
        yield opened


def _refuse(options: Namespace, *names: str) -> None:
    """Raise ConfigError for an option that the destination cannot follow."""
    for name in names:
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name}: is not for this kind of --to; leave it out")


@contextmanager
def exporting() -> Iterator[None]:
    """Turn a missing package within the block into a ConfigError that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is missing, which exports need; pip install 'heatproof[export]'"
        ) from error

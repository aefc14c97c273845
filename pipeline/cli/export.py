"""Export: `heatproof export`, which writes a run's results as DICOM objects of the patients' own studies."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from pipeline.cli.terminal import aligned, changed_lines, open_console, visible
from pipeline.config import AuditConfig, Exports, parse_override
from pipeline.delivery.settings import kinds_of, section_for
from pipeline.errors import ConfigError
from pipeline.run_files.objects import read_manifest

if TYPE_CHECKING:  # loads highdicom
    from pipeline.delivery.destination import Delivery

DONE, REFUSED = 0, 1
ALL = "all"
NOT_OF = {"dimse:": "credentials", "dicomweb:": "aet"}
"""Kind of archive → the option that it cannot follow."""
ARCHIVES = ("dicomweb:", "dimse:", "dimse-tls:")
EXAMPLES = {
    "dicomweb": "dicomweb:https://pacs.example/dicom-web",
    "dimse": "dimse:PACS@host:104",
    "dimse-tls": "dimse-tls:PACS@host:2762",
}
"""Kind of archive → an address; a folder of such a name is not meant."""


class Access(NamedTuple):
    """Options that only archives take, as typed; None: not given."""

    credentials: Path | None = None
    aet: str | None = None
    journal: Path | None = None


NO_ACCESS = Access()


def add_export(parser: ArgumentParser) -> None:
    """Add the options of `heatproof export`."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument(
        "--studies", type=Path, required=True, metavar="FOLDER", help="the study folder that was audited"
    )
    parser.add_argument(
        "--to",
        metavar="FOLDER|dicomweb:URL|dimse:AET@HOST:PORT",
        help="folder to write to, outside the run, which only you can read; or an archive to send to "
        "(default: the config's exports.to)",
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
        "--config", type=Path, help="config (YAML) whose section exports replaces the one that the run keeps"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a key, for example --set exports.segmentation=labelmap; may be repeated",
    )
    parser.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="for dicomweb: file that only you can read, with token, or certificate and key, and authority; "
        "or HEATPROOF_PACS_TOKEN, _CERTIFICATE, _KEY and _AUTHORITY",
    )
    parser.add_argument(
        "--aet", metavar="TITLE", help="for dimse and dimse-tls: the calling title (default: HEATPROOF)"
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FOLDER",
        help="for archives: where to note what was sent, so that the next try goes on (default: the folder "
        "'sent' beside the run)",
    )


def export(options: Namespace) -> int:
    """Write the objects and return the exit code: 1 if an archive refused some, or if there is none."""
    overrides = dict(map(parse_override, options.set))
    if options.kinds:
        overrides["exports.kinds"] = ALL if list(options.kinds) == [ALL] else list(options.kinds)
    section = section_for(options.config, read_manifest(options.run).get("exports") or {}, overrides)
    to = Path(options.to) if options.to else folder_of(section, options.run)
    if to is None:
        raise ConfigError("--to: is missing; give the folder to write to, or exports.to in the config")
    return write_export(
        options.run,
        options.studies,
        options.to if str(options.to).startswith(ARCHIVES) else to,
        section,
        open_console(),
        pseudonymous=options.pseudonymous,
        access=Access(options.credentials, options.aet, options.journal),
    )


def check_exports(config: AuditConfig) -> None:
    """Refuse an export that would fail after the run. Raises ConfigError."""
    kinds_of(config.exports)
    refuse_archive(config.exports)
    if config.exports.to:
        with exporting():
            import_module("highdicom")
    if config.exports.to and Path(config.exports.to).is_file():
        raise ConfigError(f"exports.to: {config.exports.to} is a file; give the name of a folder")


def export_after_run(run: Path, config: AuditConfig, console: Console) -> None:
    """Write the objects of a run that just ended, if its config says where."""
    to = folder_of(config.exports, run)
    if to is not None and config.studies.path is not None:
        write_export(run, config.studies.path, to, config.exports, console)


def folder_of(section: Exports, run: Path) -> Path | None:
    """The folder of the run's objects in the one that the config states; None if it states none.

    Raises ConfigError if it states an archive.
    """
    refuse_archive(section)
    return Path(section.to) / run.resolve().name if section.to else None


def refuse_archive(section: Exports) -> None:
    """Raise ConfigError if the config names an archive, or a URL, as the folder of exports."""
    to = section.to or ""
    if to.startswith(ARCHIVES) or ":/" in to:
        raise ConfigError(
            "exports.to: is an archive or URL, and takes folders alone; leave it out, and send the finished "
            "run with heatproof export --to"
        )


def write_export(
    run: Path,
    studies: Path,
    to: Path | str,
    section: Exports,
    console: Console,
    *,
    pseudonymous: bool = False,
    access: Access = NO_ACCESS,
) -> int:
    """Write the objects to a folder, or send them to an archive; print what became of them.

    Returns the exit code: 1 if an archive refused some, or if there is no object.
    """
    with exporting():
        from pipeline.delivery.export import ExportOptions  # noqa: PLC0415  # loads highdicom
        from pipeline.delivery.export import export as export_run  # noqa: PLC0415
        from pipeline.exports import EXPORTS  # noqa: PLC0415
        from pipeline.exports.objects import NO_CONTOUR  # noqa: PLC0415

        options = ExportOptions(kinds_of(section), pseudonymous=pseudonymous, settings=section.settings)
        titles = {kind: EXPORTS[kind].title for kind in options.kinds}
    with _destination(run, to, access, options.kinds, pseudonymous=pseudonymous) as destination:
        done = export_run(run, studies, destination, options)
        destination.close(done.left_out)
    for line in changed_lines([run]):
        console.print(visible(line))
    rows = [(title, f"{done.counts.get(kind, 0):,}") for kind, title in titles.items()]
    console.print(visible(aligned([("objects", "number"), *rows])))
    bare = sum(one.reason == NO_CONTOUR for one in done.left_out)
    if bare:
        console.print(f"Without a contour, so without a Segmentation: {bare:,}, listed in left_out.csv there")
    if len(done.left_out) > bare:
        console.print(
            f"Not exported as asked: {len(done.left_out) - bare:,}, listed with reasons in left_out.csv there"
        )
    for line in destination.lines():
        console.print(visible(line))
    if not done.counts:
        console.print("Nothing was exported; left_out.csv there says why")
    return DONE if destination.is_complete and done.counts else REFUSED


@contextmanager
def _destination(
    run: Path, to: Path | str, access: Access, kinds: tuple[str, ...], *, pseudonymous: bool
) -> Iterator[Delivery]:
    """The folder or archive to write to. Raises ConfigError."""
    run_id = run.resolve().name
    if isinstance(to, Path):
        _refuse(access, "credentials", "aet", "journal")
        if str(to) in EXAMPLES:
            raise ConfigError(f"--to: {to} lacks its address; write for example {EXAMPLES[str(to)]}")
        if ":/" in str(to):
            raise ConfigError("--to: is a URL, no folder; write dicomweb:https://… for an archive")
        from pipeline.delivery.folder import open_folder  # noqa: PLC0415

        yield open_folder(to, run, run_id=run_id, pseudonymous=pseudonymous, kinds=kinds)
        return
    _refuse(access, *(name for start, name in NOT_OF.items() if to.startswith(start)))
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
        credentials=read_credentials(access.credentials),
        title=checked_title(access.aet or OWN_TITLE, "--aet"),
        journal=access.journal,
    )
    with open_archive(to, run, run_id=run_id, pseudonymous=pseudonymous, options=archive) as opened:
        yield opened


def _refuse(access: Access, *names: str) -> None:
    """Raise ConfigError for an option that the destination cannot follow."""
    for name in names:
        if getattr(access, name) is not None:
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

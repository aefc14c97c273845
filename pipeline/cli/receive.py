"""Receive: `heatproof receive`, to which an archive sends studies over DIMSE."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from pipeline.cli.terminal import open_console, visible
from pipeline.errors import ConfigError

DONE = 0


def add_receive(parser: ArgumentParser) -> None:
    """Add the options of `heatproof receive`."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder for the files, which only you can enter"
    )
    parser.add_argument("--port", type=int, default=11112, help="port to listen on (default: 11112)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: this machine only); DIMSE knows no passwords and no encryption",
    )
    parser.add_argument("--aet", default="HEATPROOF", metavar="TITLE", help="own title (default: HEATPROOF)")
    parser.add_argument(
        "--from", dest="callers", nargs="+", default=(), metavar="TITLE", help="titles that may send"
    )
    parser.add_argument(
        "--idle", type=float, metavar="SECONDS", help="end when nothing came for so long (default: on Ctrl-C)"
    )


def receive(options: Namespace) -> int:
    """Receive objects and return the exit code."""
    try:
        from pipeline.pacs.address import checked_title  # noqa: PLC0415
        from pipeline.retrieval.receive import Listening  # noqa: PLC0415  # loads pynetdicom
        from pipeline.retrieval.receive import receive as receive_objects  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"receive: the package {error.name} is missing; pip install 'heatproof[pacs]'"
        ) from error
    console = open_console()
    listening = Listening(
        host=options.host,
        port=options.port,
        title=checked_title(options.aet, "--aet"),
        callers=tuple(checked_title(title, "--from") for title in options.callers),
        idle=options.idle,
    )

    def ready(port: int) -> None:
        console.print(f"Receiving as {listening.title} on {listening.host}:{port} …")

    counts = receive_objects(options.folder, listening, ready=ready)
    for line in lines(options.folder, counts):
        console.print(visible(line))
    return DONE


def lines(folder: Path, counts: Mapping[str, int]) -> list[str]:
    """What came, and where it lies."""
    found = [f"Images: {counts.get('images', 0):,}, in {folder / 'images'}"]
    if counts.get("objects"):
        found.append(f"Annotations and other objects: {counts['objects']:,}, in {folder / 'objects'}")
    if counts.get("own"):
        found.append(f"Results of Heatproof: {counts['own']:,}, in {folder / 'own'}")
    if counts.get("repeated"):
        found.append(f"Sent again: {counts['repeated']:,}, kept once")
    if counts.get("refused"):
        found.append(f"Refused: {counts['refused']:,}; their sender was told")
    return found

"""Folder: all files below a folder, in an order that does not depend on the file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ConfigError


def find_files(folder: Path) -> Iterator[Path]:
    """All files below `folder`, whatever their names, in the order of `sorted` paths.

    Links are followed and each folder is entered once. Pipes, sockets and devices are left out. Dangling
    links and unreadable folders are included, so that reading them reports the error.
    Raises ConfigError if `folder` is not a folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is not a folder; choose the folder with the images")
    entered: set[tuple[int, int]] = set()
    pending = [folder]  # a stack, because folders may be nested deeper than Python's recursion limit
    while pending:
        path = pending.pop()
        try:
            if path.is_dir():
                pending.extend(reversed(_entries(path, entered)))
            elif path.is_file() or not path.exists():
                yield path
        except OSError:
            yield path


def _entries(folder: Path, entered: set[tuple[int, int]]) -> list[Path]:
    """The sorted entries of the folder; empty if it was entered before."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in entered:
        return []
    entered.add((status.st_dev, status.st_ino))
    return sorted(folder.iterdir())

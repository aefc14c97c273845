"""Folder: every file below a folder, in one order whatever the file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ConfigError


def find_files(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, of any name, in the order of `sorted` paths.

    Links are followed, each folder is entered once. Pipes, sockets and devices are left out; dangling links
    and folders that cannot be listed are named too, so that reading them says why.
    Raises ConfigError where `folder` is none.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: found no folder, wanted one with DICOM files")
    yield from _below(folder, entered=set())


def _below(folder: Path, *, entered: set[tuple[int, int]]) -> Iterator[Path]:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in entered:
        return
    entered.add((status.st_dev, status.st_ino))
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        yield folder
        return
    for path in paths:
        if path.is_dir():
            yield from _below(path, entered=entered)
        elif path.is_file() or not path.exists():
            yield path

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
    entered: set[tuple[int, int]] = set()
    ahead = [folder]  # no recursion: folders may be nested deeper than calls
    while ahead:
        path = ahead.pop()
        try:
            if path.is_dir():
                ahead.extend(reversed(_listed(path, entered)))
            elif path.is_file() or not path.exists():
                yield path
        except OSError:
            yield path


def _listed(folder: Path, entered: set[tuple[int, int]]) -> list[Path]:
    """What is in the folder, sorted; nothing where it was entered before."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in entered:
        return []
    entered.add((status.st_dev, status.st_ino))
    return sorted(folder.iterdir())

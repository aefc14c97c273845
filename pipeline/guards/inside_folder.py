"""Inside folder: paths in the files of others may lead no further than the file's own folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError


def is_inside(path: Path, folder: Path) -> bool:
    """Whether the path, all links followed, lies in or below the folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that no file can have
        return False


def inside_folder(file: Path, name: str, *, key: str, remedy: str) -> Path:
    """The path that `file` gives as `name` under `key`, relative to the file's folder.

    Raises ConfigError, without a look at what is there, if it leads out of the folder, also through a link:
    whoever wrote the file could otherwise learn hash and contents of any file from what a run says of it.
    """
    path = file.parent / name
    if not is_inside(path, file.parent):
        raise ConfigError(
            f"{file}: {key}: leads out of the folder of the file, itself or through a link; wanted a file in "
            f"that folder or below; {remedy}"
        )
    return path

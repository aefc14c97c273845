"""Links: what has no place in a run folder, for it leads reading, writing and removing elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import ConfigError


def refuse_link(path: Path) -> None:
    """ConfigError where the path is a link itself."""
    if path.is_symlink():
        raise ConfigError(
            f"{path}: is a link, and nothing is written to where it leads; remove it, then start again"
        )


def refuse_links(run: Path) -> None:
    """ConfigError where a run folder holds anything but files and folders of its own.

    The folder itself may be a link, like any that a user names. What vanishes meanwhile is passed over.
    """
    folders = [run]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(f"{error.filename}: cannot be read ({error.strerror})") from error
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                what = "a link" if entry.is_symlink() else "neither a file nor a folder"
                raise ConfigError(
                    f"{entry.path}: is {what}, and a run folder holds files of its own alone; remove it, or "
                    "put a copy of what it leads to in its place"
                )

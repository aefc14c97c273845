"""Symbolic links: refused in run folders, because they redirect reading, writing and deleting."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import ConfigError


def refuse_link(path: Path) -> None:
    """Raise ConfigError if the path itself is a symbolic link."""
    if path.is_symlink():
        raise ConfigError(f"{path}: is a link, and nothing is written through links; remove it, then rerun")


def refuse_links(run: Path) -> None:
    """Raise ConfigError if a run folder contains anything but regular files and folders.

    The folder itself may be a link, because the user named it. Entries that disappear during the check are
    ignored.
    """
    folders = [run]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(
                f"{error.filename}: cannot be read ({error.strerror}); check its permissions, or choose "
                "another --out"
            ) from error
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                what = "a link" if entry.is_symlink() else "neither a file nor a folder"
                raise ConfigError(
                    f"{entry.path}: is {what}, and a run folder may hold only regular files and folders; "
                    "remove it, or replace it with a copy of its target"
                )

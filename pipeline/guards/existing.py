"""Existing: paths that a config or an option names, which must exist before anything is loaded."""

from __future__ import annotations

import errno
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigError

MOST_NAMED: Final = 5
"""Files of a folder that a message names."""
SEARCHED: Final = 1000
"""Entries of a folder among which files are looked for."""


def existing_path(path: Path | None, key: str, option: str) -> Path:
    """The path, if it is set and exists. Raises ConfigError that names the config key and the option."""
    if path is None:
        raise ConfigError(f"{key}: is missing; give {option}, or set the key in the config")
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.errno != errno.ENOENT else ""
        problem = f"cannot be read ({why})" if why else "does not exist"
        raise ConfigError(f"{key}: {path} {problem}; correct the path, or give {option}") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ConfigError(f"{key}: {path} is not a file or folder; correct the path, or give {option}")
    return path


def existing_file(path: Path | None, key: str, option: str, *, suffixes: Sequence[str], what: str) -> Path:
    """`existing_path`, which must not be a folder: the error then names the files in it that may be meant.

    `suffixes`: ends of their names; `what` is wanted.
    """
    found = existing_path(path, key, option)
    if found.is_dir():
        named = listed_in(found, suffixes)
        raise ConfigError(
            f"{key}: {found} is a folder, wanted {what}; name the file{' in it' * bool(named)}{named}"
        )
    return found


def listed_in(folder: Path, suffixes: Sequence[str]) -> str:
    """The files directly in the folder whose names end so, after a colon; empty if there are none."""
    try:
        entries = [path for path, _ in zip(folder.iterdir(), range(SEARCHED), strict=False)]
    except OSError:
        return ""
    files = sorted(path for path in entries if path.name.lower().endswith(tuple(suffixes)) and path.is_file())
    more = f" and {len(files) - MOST_NAMED:,} more" if len(files) > MOST_NAMED else ""
    return f": {', '.join(map(str, files[:MOST_NAMED]))}{more}" if files else ""

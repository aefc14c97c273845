"""Source files: where below the annotations folder a source lies, and which image a file name stands for."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.records import file_stem

LARGEST_TABLE_BYTES = 2**29
"""Of a table or run-length masks, which are read as one."""


def inside(root: Path, relative: str) -> Path:
    """`root / relative`, which must not lie outside `root`; links that the user made there are followed."""
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise ConfigError(f"'{relative}': leads out of the annotations folder; write a path below it")
    return root / relative


def source_file(path: Path, file: str | None) -> Path:
    """The one file of a source: `file` below `path` (beside it, where `path` is a file), or `path` itself."""
    root = path.parent if path.is_file() else path
    chosen = inside(root, file) if file else path
    if not chosen.is_file():
        wanted = f"there is no file '{file}'" if file else "is a folder; say which file with `file:`"
        raise ConfigError(f"{path}: {wanted}")
    return chosen


def refuse_giant(file: Path) -> None:
    """Refuse to read a whole file that would fill the memory; ConfigError."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    if size > LARGEST_TABLE_BYTES:
        raise ConfigError(
            f"{file}: is larger than {LARGEST_TABLE_BYTES >> 20} MiB; split it, and name the parts as sources"
        )


def position(error: Exception) -> str:
    """Where a file of text goes wrong, for a complaint, without what stands there; empty where unknown."""
    if isinstance(error, json.JSONDecodeError):
        return f" (line {error.lineno}, column {error.colno})"
    return f" (byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""


def image_key(name: str) -> str:
    """The stem or SOP instance UID in a table's name of an image: "images/0017.dcm" → "0017"."""
    return file_stem(name.strip().replace("\\", "/"))

"""Source files: locate the files of a source, and the image that a file name refers to."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.records import file_stem

LARGEST_TABLE_BYTES = 2**29
"""Upper limit for a table, which is read row by row."""
MOST_SHAPES = 500_000
"""Annotations, boxes and masks of one run in all: they are listed in memory."""
TOO_MANY = f"more than {MOST_SHAPES:,} annotations, boxes and masks; split them, and run each part"


def path_below(root: Path, relative: str) -> Path:
    """`root / relative`. Raises ConfigError if it is absolute or contains ".."; links are followed."""
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise ConfigError(f"'{relative}': is outside the annotations folder; write a path below it")
    return root / relative


def source_file(path: Path, file: str | None) -> Path:
    """The file of a source: `file` in the folder `path` or next to the file `path`, or `path` itself."""
    root = path.parent if path.is_file() else path
    chosen = path_below(root, file) if file else path
    if not chosen.is_file():
        problem = (
            f"has no file '{file}'; correct `file:`" if file else "is a folder; name a file with `file:`"
        )
        raise ConfigError(f"{path}: {problem}")
    return chosen


def files_with_suffix(path: Path, suffix: str) -> list[Path]:
    """The file itself or the files directly in a folder that have the suffix; hidden files are left out."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return [
        file for file in files if file.is_file() and file.suffix.lower() == suffix and file.name[0] != "."
    ]


def printable(name: str) -> str:
    """The name with lone surrogates, which JSON allows but text files do not, written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def image_key(name: str) -> str:
    """The name of an image in a table without suffix, with its folders: "a/0017.dcm" → "a/0017".

    Folders stay, because they may be what tells two images apart.
    """
    parts = [part for part in name.strip().replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    *folders, last = parts or [""]
    return "/".join((*folders, file_stem(last)))

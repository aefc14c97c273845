"""Source files: locate the files of a source, and the image that a file name refers to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.records import file_stem

LARGEST_TABLE_BYTES = 2**29
"""Upper limit for a table, which is read row by row."""
MOST_SHAPES = 500_000
"""Annotations, boxes and masks of one run in all: they are listed in memory."""
TOO_MANY = f"more than {MOST_SHAPES:,} annotations, boxes and masks; split them, and run each part"


OWN_OUTPUT = (frozenset({"pseudonym.key"}), frozenset({"manifest.json", "skipped.csv"}))
"""Files by which a folder of runs, or a run's folder, is known; another run below must change no result."""


def walk_files(path: Path, excluded: Collection[Path] = ()) -> Iterator[Path]:
    """All files below a folder in a fixed order, without hidden and excluded ones and runs of Heatproof."""
    for root, folders, files in os.walk(path):
        if any(marks <= {*files} for marks in OWN_OUTPUT):
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if name[0] != "." and Path(root, name) not in excluded)
        for name in sorted(files):
            file = Path(root, name)
            if name[0] != "." and file not in excluded:
                yield file


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

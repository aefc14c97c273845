"""JSON lines: a list that grows by a line at a time, each on disk before the next step is taken."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from pipeline.errors import ConfigError
from pipeline.guards.reading import named, read_file
from pipeline.store.atomic import OWNER_ONLY, writing

LARGEST: Final = 2**31
"""Bytes; ten million lines."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """An open list; only its owner can read the file."""

    path: Path
    file: IO[bytes]
    entries: tuple[Mapping[str, Any], ...]
    """What the file held when it was opened."""

    def add(self, entry: Mapping[str, object]) -> None:
        """Append an entry; it is on disk when this returns. Raises OutputError."""
        line = f"{json.dumps(entry)}\n".encode()
        with writing(self.path):
            if self.file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(self.file.fileno())


@contextmanager
def open_json_lines(path: Path, *, remedy: str) -> Iterator[JsonLines]:
    """The list in a file, made if it is missing; the half of a line that a crash left is removed.

    Raises ConfigError, with the remedy, for a whole line that is no JSON object; OutputError.
    """
    entries, whole = _read(path, remedy)
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWNER_ONLY)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:  # unbuffered: nothing is left to write at the end
        file.truncate(whole)
        file.seek(whole)
        yield JsonLines(path, file, entries)


def _read(path: Path, remedy: str) -> tuple[tuple[Mapping[str, Any], ...], int]:
    """The entries, and how many bytes of the file are whole lines."""
    if not path.exists():
        return (), 0
    with named(path):
        content = read_file(path, most_bytes=LARGEST)
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].splitlines()
    return tuple(_entry(path, number, line, remedy) for number, line in enumerate(lines, start=1)), whole


def _entry(path: Path, number: int, line: bytes, remedy: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        raise ConfigError(f"{path}: line {number} is damaged; {remedy}")
    return entry

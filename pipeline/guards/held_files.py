"""Held files: bytes in memory under the name of a file, for libraries that open names alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def held_file(content: bytes, *, suffix: str) -> Iterator[Path]:
    """A path with this suffix that opens the bytes, without writing them to a disk.

    The path is a link to an anonymous file of Linux (memfd_create), in a folder that is removed at the end; a
    process that is killed leaves a link to nothing. Raises OSError.
    """
    descriptor = os.memfd_create("held")
    with os.fdopen(descriptor, "wb") as file, TemporaryDirectory(prefix="heatproof-") as folder:
        file.write(content)
        file.flush()
        path = Path(folder) / f"held{suffix}"
        path.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
        yield path

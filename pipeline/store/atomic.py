"""Atomic: files that are there whole or not at all."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from pipeline.errors import OutputError

REFUSALS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
)
"""What a system says where nothing can be written, and nothing in the program is to blame."""
OWNER_ONLY = 0o600
EVERYBODY_READS = 0o644
PASSING_PREFIX = ".passing-"
"""Of the name under which a file is written before it gets its own."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """No room or no permission while something is written is an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); make room or give permission to write there, "
            "then the same command goes on from what is finished"
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where they are missing; OutputError where that cannot be."""
    with writing(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in REFUSALS:
                raise
            raise OutputError(
                f"{path}: cannot be made ({error.strerror}); choose another place, or take away what is in "
                "the way: a file, or a link that leads nowhere"
            ) from error


@contextmanager
def atomic_file(path: Path, *, mode: int = EVERYBODY_READS, lasting: bool = False) -> Iterator[IO[bytes]]:
    """A file that appears under its name when the block ends well; a rename happens whole or not at all.

    `lasting`: its content is on the disk before it has its name, so a power failure leaves it whole, too;
    that takes milliseconds.
    """
    with writing(path.parent), _passing(path.parent) as file:
        passing = Path(file.name)
        try:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            if lasting:
                os.fsync(file.fileno())
            passing.replace(path)
        except BaseException:
            passing.unlink(missing_ok=True)
            raise


def _passing(folder: Path) -> IO[bytes]:
    """A new file of a passing name, in a folder that is made where it is missing."""
    make_folder(folder)
    file: IO[bytes] = NamedTemporaryFile(dir=folder, prefix=PASSING_PREFIX, delete=False)  # noqa: SIM115
    return file


@contextmanager
def atomic_text(
    path: Path, *, mode: int = EVERYBODY_READS, lasting: bool = False
) -> Iterator[io.TextIOWrapper]:
    """`atomic_file` for UTF-8 text, line ends as written."""
    with atomic_file(path, mode=mode, lasting=lasting) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        yield text
        text.flush()
        text.detach()


def write_bytes(path: Path, content: bytes, *, mode: int = EVERYBODY_READS, lasting: bool = False) -> None:
    """Write a whole file atomically."""
    with atomic_file(path, mode=mode, lasting=lasting) as file:
        file.write(content)

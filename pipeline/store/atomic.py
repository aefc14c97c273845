"""Atomic: atomic file writes; a file is either complete or absent."""

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

WRITE_ERRNOS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
)
"""Errors of the file system (disk full, no permission, disk broken) that the user has to resolve."""
IN_THE_WAY = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY})
"""Errors where a folder stands in the place of a file, or a file in that of a folder."""
OWNER_ONLY = 0o600
EVERYBODY_READS = 0o644
TEMPORARY_PREFIX = ".passing-"
"""Prefix of the temporary file that is renamed once it is complete."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, a missing permission or something in the way within the block into an OutputError."""
    try:
        yield
    except OSError as error:
        if error.errno in IN_THE_WAY:
            place = error.filename2 or error.filename or path
            raise OutputError(
                f"{place}: cannot be written ({error.strerror}), because a folder stands in the place of a "
                "file or a file in that of a folder; remove what is in the way, then rerun the same command"
            ) from error
        if error.errno not in WRITE_ERRNOS:
            raise
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); make room or give permission to write there, "
            "then rerun the same command; it resumes from the finished images"
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder and its missing parents; OutputError if that is impossible."""
    with writing(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in WRITE_ERRNOS:
                raise
            raise OutputError(
                f"{path}: cannot be made ({error.strerror}); choose another place, or remove what is in "
                "the way: a file or a broken link"
            ) from error


@contextmanager
def atomic_file(path: Path, *, mode: int = EVERYBODY_READS, durable: bool = False) -> Iterator[IO[bytes]]:
    """A temporary file that is renamed to `path` when the block ends without an error.

    `durable`: the content is synced to disk before the rename, so that the file survives a power failure;
    this takes milliseconds.
    """
    with writing(path.parent), _temporary_file(path.parent) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _temporary_file(folder: Path) -> IO[bytes]:
    """A new temporary file in a folder, which is made if it is missing."""
    make_folder(folder)
    file: IO[bytes] = NamedTemporaryFile(dir=folder, prefix=TEMPORARY_PREFIX, delete=False)  # noqa: SIM115
    return file


@contextmanager
def atomic_text(
    path: Path, *, mode: int = EVERYBODY_READS, durable: bool = False
) -> Iterator[io.TextIOWrapper]:
    """`atomic_file` for UTF-8 text; line ends are not translated."""
    with atomic_file(path, mode=mode, durable=durable) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        yield text
        text.flush()
        text.detach()


def write_bytes(path: Path, content: bytes, *, mode: int = EVERYBODY_READS, durable: bool = False) -> None:
    """Write a whole file atomically."""
    with atomic_file(path, mode=mode, durable=durable) as file:
        file.write(content)

"""File hashes: detect an annotation or map file that changed between listing and reading."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from pipeline.errors import CaseError
from pipeline.guards.reading import open_file

LARGEST_BYTES = 2**30
"""Upper limit for an annotation or map file, to protect memory."""
UNREADABLE, TOO_LARGE = "unreadable", "too_large"
"""Returned instead of a hash."""
PIECE_BYTES = 2**20
CACHED_FROM_BYTES = 2**22
"""Hashes of larger files are cached, because many images may share one file, such as a multi-frame SEG."""


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file as a hexadecimal string, or `UNREADABLE` or `TOO_LARGE`."""
    try:
        status = Path(path).stat()
        if status.st_size < CACHED_FROM_BYTES:
            return _sha256(path)
        # The key includes the ctime, because a program can reset a file's mtime but not its ctime.
        return _cached_sha256(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except (OSError, ValueError):  # ValueError: a null byte in the path
        return UNREADABLE
    except CaseError as error:
        return TOO_LARGE if error.reason == TOO_LARGE else UNREADABLE


def refuse_changed(path: str | Path, known: str) -> None:
    """Raise CaseError "file_changed" if the file's hash differs from `known`, or "too_large".

    A file that is still `UNREADABLE` passes; the function that reads it reports the error.
    """
    if known == TOO_LARGE:
        raise CaseError(
            "too_large", f"the file is larger than {LARGEST_BYTES >> 20} MiB; split it, or leave it out"
        )
    if file_hash(path) != known:
        raise CaseError("file_changed", "the file changed after the folder was listed; start the run again")


@lru_cache(maxsize=64)
def _cached_sha256(path: str | Path, *_status: int) -> str:
    return _sha256(path)


def _sha256(path: str | Path) -> str:
    digest, size = hashlib.sha256(), 0
    with open_file(path, most_bytes=LARGEST_BYTES) as stream:
        for piece in iter(lambda: stream.read(PIECE_BYTES), b""):
            digest.update(piece)
            size += len(piece)
            if size > LARGEST_BYTES:
                return TOO_LARGE
    return digest.hexdigest()

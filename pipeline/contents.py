"""Contents: a hash of what a file holds, by which it is known again when it is read."""

from __future__ import annotations

import hashlib
import stat
from functools import lru_cache
from pathlib import Path

from pipeline.errors import CaseError

LARGEST_BYTES = 2**30
"""Of an annotation or a map: more is made to fill a memory."""
UNREADABLE, TOO_LARGE = "unreadable", "too_large"
"""Instead of a hash."""
PIECE_BYTES = 2**20
REMEMBERED_BYTES = 2**22
"""From this size on a file that many images need, such as a SEG of frames, is not hashed for each anew."""


def contents(path: str | Path) -> str:
    """The sha256 of a file, read piece by piece, or `UNREADABLE` or `TOO_LARGE`."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            return UNREADABLE
        if status.st_size > LARGEST_BYTES:
            return TOO_LARGE
        if status.st_size < REMEMBERED_BYTES:
            return _sha256(path)
        # Whoever writes a file can set back the time of its contents, not that of its inode.
        return _remembered(path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except OSError:
        return UNREADABLE


def refuse_changed(path: str | Path, known: str) -> None:
    """Raises CaseError "file_changed" where a file holds not what `contents` said, or "too_large".

    What could not be read is left to its reader to refuse.
    """
    if known == TOO_LARGE:
        raise CaseError("too_large", f"the file is larger than {LARGEST_BYTES >> 20} MiB")
    if contents(path) != known:
        raise CaseError("file_changed", "the file was written again after the folder was listed")


@lru_cache(maxsize=64)
def _remembered(path: str | Path, *_facts: int) -> str:
    return _sha256(path)


def _sha256(path: str | Path) -> str:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123  a path as it was found
        for piece in iter(lambda: stream.read(PIECE_BYTES), b""):
            digest.update(piece)
            size += len(piece)
            if size > LARGEST_BYTES:
                return TOO_LARGE
    return digest.hexdigest()

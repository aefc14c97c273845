"""Reading: open regular files below a size only, and give every error of a parser a reason.

All files that others made pass here: images, annotations, maps, weights, cards, configs, decisions, runs.
"""

from __future__ import annotations

import os
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path

from pipeline.errors import AuditError, CaseError, ConfigError

MIB = 2**20
SPLIT = "split it, or leave it out"
ANY_SIZE = sys.maxsize
"""Limit for a file of which only a part is read."""
LARGE_READ = 2**20
"""Bytes; a longer read is cut to what the file has left."""
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Bounded(BufferedReader):
    """A file whose reads are limited to its size, because a length in a header may claim gigabytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, never more than the file has left."""
        if size is not None and size > LARGE_READ:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


@contextmanager
def open_file(path: str | Path, *, most_bytes: int, what: str = "", remedy: str = SPLIT) -> Iterator[Bounded]:
    """The bytes of a regular file of up to `most_bytes` bytes; links are followed.

    Raises CaseError: "not_a_file" (folder, named pipe, socket, device), "too_large" or "unreadable", which an
    OSError inside the block becomes, too. Messages begin with `what` ("the file"); `remedy`: of "too_large".
    """
    with about(what):
        try:
            opened = Bounded(FileIO(path, opener=_open_without_waiting))
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise _unreadable(error) from error
    with opened as file:
        try:
            with about(what):
                _refuse_larger(os.fstat(file.fileno()).st_size, most_bytes, remedy)
            yield file
        except OSError as error:
            with about(what):
                raise _unreadable(error) from error


def read_file(path: str | Path, *, most_bytes: int, what: str = "", remedy: str = SPLIT) -> bytes:
    """All bytes of a regular file, with the errors of `open_file`."""
    with open_file(path, most_bytes=most_bytes, what=what, remedy=remedy) as file:
        content = file.read(most_bytes + 1)
        with about(what):
            _refuse_larger(len(content), most_bytes, remedy)  # it grew, or its size is unknown, as in /proc
    return content


@contextmanager
def guarded(reason: str, message: str) -> Iterator[None]:
    """Turn whatever is raised inside the block into CaseError(reason, message); warnings are dropped.

    Parsers of strangers' bytes may raise anything. Errors that Heatproof raises on purpose pass.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (AuditError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except MemoryError as error:
            remedy = "raise limits.memory_mb, or leave the file out"
            raise CaseError(
                "out_of_memory", f"{without_remedy(message)} (not enough memory); {remedy}"
            ) from error
        except BaseException as error:  # a panic of a decoder in Rust is not an Exception
            raise CaseError(reason, message) from error


@contextmanager
def about(what: str, reason: str = "") -> Iterator[None]:
    """Put what was read before the message of a CaseError: "is a folder" → "the file is a folder".

    With `reason`, that is its reason, except for "unreadable", which another try may mend.
    """
    try:
        yield
    except CaseError as error:
        kept = error.reason if error.reason == "unreadable" or not reason else reason
        raise CaseError(kept, f"{what} {error.message}".lstrip()) from error.__cause__


@contextmanager
def named(path: str | Path) -> Iterator[None]:
    """Turn a CaseError inside the block into a ConfigError that names the file."""
    try:
        yield
    except CaseError as error:
        raise ConfigError(f"{path}: {error.message}") from error


def without_remedy(message: str) -> str:
    """What was found: the part of a message before its remedy."""
    return message.split(";", maxsplit=1)[0].rstrip(".")


def _open_without_waiting(path: str | Path, flags: int) -> int:
    """A descriptor of a regular file. Opening a named pipe would otherwise wait for a writer, without end."""
    _refuse_others(os.stat(path).st_mode)  # noqa: PTH116  FileIO passes text
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _refuse_others(os.fstat(descriptor).st_mode)
    except CaseError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_others(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for holds, name in KINDS if holds(mode)), "something else")
        raise CaseError("not_a_file", f"is {kind}, wanted a regular file; give one, or remove it")


def _refuse_larger(size: int, most_bytes: int, remedy: str) -> None:
    if size > most_bytes:
        limit = f"{most_bytes / MIB:,.0f} MiB" if most_bytes >= MIB else f"{most_bytes >> 10:,} KiB"
        raise CaseError("too_large", f"is larger than {limit}; {remedy}")


def _unreadable(error: Exception) -> CaseError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
    return CaseError("unreadable", f"cannot be read ({why}); check the path and its permissions")

"""Lock: one run at a time on a run folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.guards.symlinks import refuse_link, refuse_links
from pipeline.store.atomic import EVERYBODY_READS, TEMPORARY_PREFIX, make_folder, writing

LOCK = ".lock"
"""File in a run folder."""
BUSY = "another audit is writing there; wait for it, or choose another --out"


@contextmanager
def locked(run: Path, *, busy: str = BUSY) -> Iterator[None]:
    """Lock the run folder against a second run. The lock is released however the process ends.

    ConfigError, which says `busy`, if it is locked; and if the folder, or anything in it, is a link, because
    a run writes and removes files there.
    """
    refuse_link(run)
    make_folder(run)
    with os.fdopen(_opened(run / LOCK), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"{run}: {busy}") from error
        refuse_links(run)
        yield


def is_begun(folder: Path, *, empty: Collection[str] = ()) -> bool:
    """Whether a folder holds only what is made before its first file: the lock, and folders of `empty`."""
    return all(
        entry.name == LOCK
        or entry.name.startswith(TEMPORARY_PREFIX)
        or (entry.name in empty and entry.is_dir() and not any(entry.iterdir()))
        for entry in folder.iterdir()
    )


def _opened(path: Path) -> int:
    refuse_link(path)
    with writing(path.parent):
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, EVERYBODY_READS)
        except IsADirectoryError as error:
            raise ConfigError(f"{path}: is a folder; remove it, then rerun") from error

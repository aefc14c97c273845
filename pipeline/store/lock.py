"""Lock: one run at a time on a run folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.store.atomic import writing


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run folder; a second run on it is refused. The lock goes with the process, however it ends."""
    with writing(run):
        run.mkdir(parents=True, exist_ok=True)
        opened = (run / ".lock").open("w")
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"{run}: another audit is writing there; wait for it, or choose another --out"
            ) from error
        yield

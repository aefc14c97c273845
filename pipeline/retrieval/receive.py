"""Receive: objects that archives and modalities send (C-STORE) → files named by their content."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO, Final

from pipeline.errors import AuditError, CaseError
from pipeline.pacs.receiver import DUPLICATE, receiving
from pipeline.pacs.same import is_same
from pipeline.retrieval.cache import INCOMING, Cache, Room, open_cache
from pipeline.retrieval.rooms import uid_and_room
from pipeline.store.dates import seconds_unchanged

LOOK_EVERY: Final = 0.2
"""Seconds between two looks at the clock."""
SURELY_LEFT: Final = 30
"""Seconds after which a file that nobody sends any more is not one that somebody just began to send."""
KEY: Final = "receive"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where objects are received, and from whom."""

    host: str
    port: int
    """0: any free one."""
    title: str
    callers: Collection[str] = ()
    """Titles that may call; empty: all."""
    idle: float | None = None
    """Seconds without a new object after which the receiving ends; None: never by itself."""


@dataclass(slots=True)
class Inbox:
    """What came so far; handlers of several associations use it at once."""

    cache: Cache
    counts: Counter[Room | str] = field(default_factory=Counter)
    """Room → objects; "repeated": came before with the same content; "refused": no DICOM, no room, or another
    object came before with its identifier."""
    last: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)

    def keep(self, file: Path) -> None:
        """Keep a file. Raises CaseError if it is not DICOM, OutputError if it cannot be written."""
        with self.lock:
            self.last = time.monotonic()
            try:
                self._keep(file)
            except (AuditError, OSError):
                self.counts["refused"] += 1
                raise

    def sweep(self, *, older_than: float = 0) -> None:
        """Remove files, unchanged for so many seconds, of objects that broke off: no sender, or no room."""
        with self.lock, suppress(OSError):
            for file in (self.cache.path / INCOMING).iterdir():
                if seconds_unchanged(file) >= older_than:
                    file.unlink()

    def _keep(self, file: Path) -> None:
        uid, room = uid_and_room(file)
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        kept = self.cache.file_of(uid) if self.cache.holds(uid) else None
        if kept is not None:
            if self.cache.entries[uid].sha256 != sha256 and not is_same(file.read_bytes(), kept):
                raise CaseError(DUPLICATE, "another object of this identifier was received before")
            self.counts["repeated"] += 1
            return
        self.cache.add(uid, partial(_copy, file), lambda _: room, keeps_own=True)
        self.counts[room] += 1


def receive(
    folder: Path,
    listening: Listening,
    *,
    ready: Callable[[int], None],
    ended: Callable[[], bool] = lambda: False,
) -> Mapping[str, int]:
    """Receive until nothing came for `idle` seconds, or it is `ended`; the numbers of objects by room.

    `ready(port)` is called once objects can be sent. Raises ConfigError if port or folder cannot be used.
    """
    with open_cache(folder, KEY) as cache:
        inbox = Inbox(cache)
        with receiving(
            inbox.keep,
            folder / INCOMING,
            host=listening.host,
            port=listening.port,
            title=listening.title,
            callers=listening.callers,
        ) as receiver:
            ready(receiver.port)
            while not ended() and (listening.idle is None or time.monotonic() - inbox.last < listening.idle):
                if not receiver.is_busy():
                    inbox.sweep(older_than=SURELY_LEFT)
                time.sleep(LOOK_EVERY)
        inbox.sweep()
        return dict(inbox.counts)


def _copy(file: Path, target: IO[bytes]) -> None:
    with file.open("rb") as source:
        shutil.copyfileobj(source, target)

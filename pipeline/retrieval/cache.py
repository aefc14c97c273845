"""Cache: files of an archive, named by their content, in a folder that only its owner can enter."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from pipeline.errors import CaseError, ConfigError
from pipeline.guards.csv_injection import escape_formulas
from pipeline.guards.json_files import read_json
from pipeline.guards.symlinks import refuse_link
from pipeline.store.atomic import OWNER_ONLY, atomic_file, make_folder, write_bytes, writing
from pipeline.store.json_lines import JsonLines, open_json_lines
from pipeline.store.lock import is_begun, locked

Room = Literal["images", "objects", "own"]
"""Images; annotations and other objects; results of Heatproof, of which no file is kept."""
ROOMS: Final[tuple[Room, ...]] = ("images", "objects", "own")
JOURNAL: Final = "fetched.jsonl"
FAILURES: Final = "failures.csv"
FAILURE_COLUMNS: Final = ("study_instance_uid", "sop_instance_uid", "reason", "message")
HEAD: Final = "cache.json"
CONTENT: Final = {"kind": "heatproof-cache"}
INCOMING: Final = "incoming"
OWNER_ENTERS: Final = 0o700
DAMAGED: Final = "remove the folder, then rerun"
LONG_AGO: Final = 315_532_800
"""1 January 1980 in seconds since 1970: the time of all files, so that what is fetched again is the same."""
BUSY: Final = "another command fetches there; wait for it"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the cache."""

    sha256: str
    room: Room
    size: int


@dataclass(slots=True)
class Cache:
    """The files of one query."""

    path: Path
    journal: JsonLines
    entries: dict[str, Entry]
    """SOP instance UID → its file."""

    @property
    def images(self) -> Path:
        """The folder of the images."""
        return self.path / "images"

    def holds(self, uid: str) -> bool:
        """Whether the object was fetched, and its file is whole."""
        entry = self.entries.get(uid)
        if entry is None:
            return False
        if entry.room == "own":
            return True
        with suppress(OSError):
            return self._file(entry).stat().st_size == entry.size
        return False

    def file_of(self, uid: str) -> Path | None:
        """The file of an object; None if none is kept."""
        file = self._file(self.entries[uid]) if uid in self.entries else None
        return file if file is not None and file.exists() else None

    def add(
        self,
        uid: str,
        write: Callable[[IO[bytes]], None],
        look: Callable[[Path], Room],
        *,
        keeps_own: bool = False,
    ) -> Entry:
        """Keep what `write` writes, in the room that `look` gives; on disk when this returns.

        `keeps_own`: results of Heatproof, too. Raises OutputError, and what both raise; then nothing is kept.
        """
        passing = self.path / INCOMING / "object"
        try:
            with atomic_file(passing, mode=OWNER_ONLY, durable=True) as file:
                write(file)
            room = look(passing)
            with passing.open("rb") as file:
                entry = Entry(hashlib.file_digest(file, "sha256").hexdigest(), room, passing.stat().st_size)
            if room != "own" or keeps_own:
                target = self._file(entry)
                _make_private(target.parent)
                with writing(target):
                    os.utime(passing, (LONG_AGO, LONG_AGO))
                    passing.replace(target)
            self._note(uid, entry)
        finally:
            passing.unlink(missing_ok=True)
        return entry

    def keep_only(self, uids: Collection[str]) -> int:
        """Remove files of objects that the archive no longer names; how many."""
        kept = {self._file(entry) for uid, entry in self.entries.items() if uid in uids}
        removed = 0
        with writing(self.path):
            for room in ROOMS:
                for file in (self.path / room).glob("*/*.dcm"):
                    if file not in kept:
                        file.unlink()
                        removed += 1
        return removed

    def write_failures(self, failures: Iterable[Mapping[str, str]]) -> None:
        """Write the list of objects that could not be fetched."""
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, FAILURE_COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows({key: escape_formulas(value) for key, value in row.items()} for row in failures)
        content = text.getvalue().encode("utf-8", "backslashreplace")
        write_bytes(self.path / FAILURES, content, mode=OWNER_ONLY)

    def _file(self, entry: Entry) -> Path:
        return self.path / entry.room / entry.sha256[:2] / f"{entry.sha256}.dcm"

    def _note(self, uid: str, entry: Entry) -> None:
        self.journal.add({"uid": uid, "sha256": entry.sha256, "room": entry.room, "size": entry.size})
        self.entries[uid] = entry


@contextmanager
def open_cache(path: Path, key: str) -> Iterator[Cache]:
    """The cache of one query, made if it is missing; no second command may fill it meanwhile.

    Raises ConfigError that names `key` if the folder holds anything else, or is in use.
    """
    refuse_link(path)
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{key}: {path} is a file; give the name of a folder")
    rooms = [room for room in ROOMS if room != "own"]
    if path.exists() and not is_begun(path, empty=(INCOMING, *rooms)) and _head(path) != CONTENT:
        raise ConfigError(
            f"{key}: {path} holds files that no fetching wrote; choose an empty or a new folder"
        )
    for folder in (path, path / INCOMING, *(path / room for room in rooms)):
        _make_private(folder)
    with locked(path, busy=BUSY):
        write_bytes(path / HEAD, f"{json.dumps(CONTENT)}\n".encode(), mode=OWNER_ONLY)
        with writing(path):
            for left in (path / INCOMING).iterdir():
                left.unlink()
        with open_json_lines(path / JOURNAL, remedy=DAMAGED) as journal:
            yield Cache(path, journal, _entries(path, journal))


def _make_private(folder: Path) -> None:
    make_folder(folder)
    with writing(folder):
        folder.chmod(OWNER_ENTERS)


def _head(path: Path) -> Any:
    with suppress(CaseError):
        return read_json(path / HEAD)
    return None


def _entries(path: Path, journal: JsonLines) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for number, said in enumerate(journal.entries, start=1):
        try:
            room = ROOMS[ROOMS.index(said["room"])]
            entries[str(said["uid"])] = Entry(_hash(said["sha256"]), room, int(said["size"]))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{path / JOURNAL}: line {number} is damaged; {DAMAGED}") from error
    return entries


def _hash(text: object) -> str:
    """A SHA-256 in hexadecimal; ValueError for anything else, which could be a path."""
    return bytes.fromhex(str(text)).hex()

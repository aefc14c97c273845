"""Journal: what of an export was sent to an archive, on disk before the next object is sent.

It lies outside the run, in a folder for its owner only: an export that broke off goes on from it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import CaseError, ConfigError
from pipeline.exports.objects import LeftOut
from pipeline.guards.csv_injection import escape_formulas
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.json_files import read_json
from pipeline.guards.symlinks import refuse_link
from pipeline.store.atomic import OWNER_ONLY, make_folder, write_bytes, writing
from pipeline.store.json_lines import JsonLines, open_json_lines
from pipeline.store.lock import is_begun, locked

SENT: Final = "sent.jsonl"
REFUSED: Final = "refused.csv"
LEFT_OUT: Final = "left_out.csv"
HEAD: Final = "journal.json"
KIND: Final = "heatproof-journal"
FOLDER: Final = "sent"
"""Beside the runs, as the key of their pseudonyms."""
BUSY: Final = "another export writes there; wait for it"
DAMAGED: Final = "choose a new --journal: nothing is stored twice"
OWNER_ENTERS: Final = 0o700
REFUSED_COLUMNS: Final = ("kind", "case_ids", "sop_instance_uid", "reason", "message")
LEFT_OUT_COLUMNS: Final = ("case_id", "kind", "reason", "message")


@dataclass(frozen=True, slots=True)
class Journal:
    """The objects that an archive took."""

    path: Path
    lines: JsonLines
    sent: dict[str, str]
    """SOP instance UID → SHA-256 of the file that was sent."""

    def holds(self, uid: str, sha256: str) -> bool:
        """Whether the archive took this very file."""
        return self.sent.get(uid) == sha256

    def add(self, kind: str, uid: str, sha256: str) -> None:
        """Note an object that the archive took; it is on disk when this returns. Raises OutputError."""
        self.lines.add({"kind": kind, "sop_instance_uid": uid, "sha256": sha256})
        self.sent[uid] = sha256

    def write_lists(self, refused: Iterable[Mapping[str, str]], left_out: Iterable[LeftOut]) -> None:
        """Write what the archive refused, and what no object was made of, with reasons."""
        self._write(REFUSED, REFUSED_COLUMNS, refused)
        self._write(
            LEFT_OUT,
            LEFT_OUT_COLUMNS,
            [{name: getattr(entry, name) for name in LEFT_OUT_COLUMNS} for entry in left_out],
        )

    def _write(self, name: str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns, lineterminator="\n")
        table.writeheader()
        table.writerows({key: escape_formulas(str(value)) for key, value in row.items()} for row in rows)
        write_bytes(self.path / name, text.getvalue().encode(), mode=OWNER_ONLY)


def journal_folder(run: Path, destination: str, *, pseudonymous: bool) -> Path:
    """The folder of the journal of one run and archive, beside the run."""
    form = "pseudonymous" if pseudonymous else "identified"
    digest = hashlib.sha256(f"{destination}\n{form}".encode()).hexdigest()
    return run.resolve().parent / FOLDER / f"{run.resolve().name}-{digest[:8]}"


@contextmanager
def open_journal(
    path: Path, run: Path, destination: str, *, run_id: str, pseudonymous: bool
) -> Iterator[Journal]:
    """The journal in a folder, which is made if it is missing, for its owner only.

    Raises ConfigError if it lies in the run, belongs to another run or archive, or another export uses it.
    """
    refuse_link(path)
    if is_inside(path, run):
        raise ConfigError(f"--journal: {path} lies in the run's folder; choose a folder outside")
    if path.exists() and not path.is_dir():
        raise ConfigError(f"--journal: {path} is a file; give the name of a folder")
    head = {"kind": KIND, "run_id": run_id, "to": destination, "pseudonymous": pseudonymous}
    if path.exists() and not is_begun(path) and _head(path) != head:
        raise ConfigError(
            f"--journal: {path} holds something else than the journal of this run for this archive; choose "
            "an empty or a new folder"
        )
    make_folder(path)
    with writing(path):
        path.chmod(OWNER_ENTERS)
    with locked(path, busy=BUSY):
        write_bytes(path / HEAD, f"{json.dumps(head)}\n".encode(), mode=OWNER_ONLY)
        with open_json_lines(path / SENT, remedy=DAMAGED) as lines:
            sent = {str(entry.get("sop_instance_uid")): str(entry.get("sha256")) for entry in lines.entries}
            yield Journal(path, lines, sent)


def _head(path: Path) -> Any:
    with suppress(CaseError):
        return read_json(path / HEAD)
    return None

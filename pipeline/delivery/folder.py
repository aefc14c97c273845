"""Folder: exported objects as files that only their owner can read, with a list of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.delivery.export import ALL_KINDS
from pipeline.errors import CaseError, ConfigError
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.guards.csv_injection import escape_formulas, unescape_formulas
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.json_files import read_json
from pipeline.guards.symlinks import refuse_link, refuse_links
from pipeline.store.atomic import OWNER_ONLY, make_folder, write_bytes, writing

CONTENT: Final = "export.json"
"""Facts about the export, which also mark a folder as an export's."""
KIND: Final = "heatproof-export"
OBJECTS: Final = "objects.csv"
LEFT_OUT: Final = "left_out.csv"
OWNER_ENTERS: Final = 0o700
COLUMNS: Final = ("kind", "file", "sop_instance_uid", "series_instance_uid", "case_ids", "bytes", "sha256")
LEFT_OUT_COLUMNS: Final = ("case_id", "kind", "reason", "message")


@dataclass(slots=True)
class ExportFolder:
    """An owner-only folder outside the run; `close` writes its lists."""

    path: Path
    run_id: str
    pseudonymous: bool
    kinds: tuple[str, ...]
    """That this export makes: objects of others stay as an earlier export left them."""
    objects: Sequence[Mapping[str, object]] = ()
    left_out: Sequence[Mapping[str, object]] = ()
    """Rows of both lists about other kinds, as an earlier export wrote them."""
    rows: list[Mapping[str, object]] = field(default_factory=list)
    is_complete: bool = True
    """A folder takes every object, or the export ends."""

    def store(self, kind: str, stored: ExportedObject) -> bool:
        """Write one object to a file named by its content, never by its header."""
        content = encoded(stored.dataset)
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{kind}/{stored.case_ids[0]}-{sha256[:12]}.dcm"
        target = self.path / name
        make_folder(target.parent)
        target.parent.chmod(OWNER_ENTERS)
        write_bytes(target, content, mode=OWNER_ONLY)
        self.rows.append(
            {
                "kind": kind,
                "file": name,
                "sop_instance_uid": stored.uid,
                "series_instance_uid": str(stored.dataset.SeriesInstanceUID),
                "case_ids": " ".join(stored.case_ids),
                "bytes": len(content),
                "sha256": sha256,
            }
        )
        return True

    def close(self, left_out: Iterable[LeftOut]) -> None:
        """Write the lists, and remove objects of these kinds that this export did not make."""
        now = [{name: getattr(entry, name) for name in LEFT_OUT_COLUMNS} for entry in left_out]
        others = self.left_out
        if not self.objects:  # no other kinds are there
            others = [row for row in others if row["kind"] != ALL_KINDS]
        made = {row["file"] for row in self.rows}
        with writing(self.path):
            for kind in self.kinds:
                for old in (self.path / kind).glob("*.dcm"):
                    if old.relative_to(self.path).as_posix() not in made:
                        old.unlink()
        self._write(OBJECTS, COLUMNS, [*self.objects, *self.rows])
        self._write(LEFT_OUT, LEFT_OUT_COLUMNS, [*(row for row in others if row not in now), *now])

    def lines(self) -> Iterator[str]:
        """Where the objects are, and whose they are."""
        whose = "pseudonyms only" if self.pseudonymous else "patients' identifiers: handle it as patient data"
        yield f"Export: {self.path} ({whose})"

    def _write(self, name: str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns, lineterminator="\n")
        table.writeheader()
        table.writerows({key: escape_formulas(str(value)) for key, value in row.items()} for row in rows)
        write_bytes(self.path / name, text.getvalue().encode(), mode=OWNER_ONLY)


def open_folder(
    path: Path, run: Path, *, run_id: str, pseudonymous: bool, kinds: tuple[str, ...]
) -> ExportFolder:
    """The folder of an export, made if it is missing, for its owner only.

    Raises ConfigError if it lies in the run, or holds anything but an export of the same run and kind, with
    lists that can be read.
    """
    refuse_link(path)
    if is_inside(path, run):
        raise ConfigError(
            f"--to: {path} lies in the run's folder, which holds no identifiers; choose a folder outside"
        )
    if path.exists() and not path.is_dir():
        raise ConfigError(f"--to: {path} is a file; give the name of a folder")
    content = {"kind": KIND, "run_id": run_id, "pseudonymous": pseudonymous}
    if path.exists() and any(path.iterdir()):
        refuse_links(path)
        found: object = None
        with suppress(CaseError):
            found = read_json(path / CONTENT)
        if found != content:
            raise ConfigError(
                f"--to: {path} holds files that are no export of this run in this form; choose an empty or a "
                "new folder"
            )
    objects = _of_other_kinds(path / OBJECTS, COLUMNS, kinds)
    left_out = _of_other_kinds(path / LEFT_OUT, LEFT_OUT_COLUMNS, kinds)
    make_folder(path)
    with writing(path):
        path.chmod(OWNER_ENTERS)
    write_bytes(path / CONTENT, f"{json.dumps(content)}\n".encode(), mode=OWNER_ONLY)
    return ExportFolder(path, run_id, pseudonymous, kinds, objects, left_out)


def _of_other_kinds(path: Path, columns: Sequence[str], kinds: tuple[str, ...]) -> list[Mapping[str, object]]:
    """The rows of a list about other kinds than these. Raises ConfigError if it is damaged."""
    if not path.exists():
        return []
    refuse_link(path)
    try:
        header, *lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path) from error
    if any(len(line) != len(columns) for line in (header, *lines)) or header != list(columns):
        raise _damaged(path)
    rows = [dict(zip(columns, map(unescape_formulas, line), strict=True)) for line in lines]
    return [row for row in rows if row["kind"] not in kinds]


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"--to: {path} is damaged; choose an empty or a new folder")

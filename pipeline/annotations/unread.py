"""Unread: the files below the annotations that no source reads, each with the reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from pipeline.annotations.box_columns import has_coordinates
from pipeline.annotations.foreign import FOREIGN, kind_of_file
from pipeline.annotations.labels import is_label
from pipeline.annotations.source_files import LARGEST_TABLE_BYTES, walk_files
from pipeline.annotations.spelling import nearest, same
from pipeline.annotations.tables import IMAGE_COLUMNS, MOST_COLUMNS, Table, read_table
from pipeline.annotations.tool_kinds import ONE_PER_IMAGE
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import LARGEST_BYTES
from pipeline.records import file_stem

MOST_FILES = 50_000
"""Files after which the search ends."""
MOST_OPENED = 300
"""Files that are opened to find out what they are; further ones are told by their suffix."""
MOST_NAMED = 4
"""Most reasons that a refusal names."""
MOST_CELLS = 1_000_000
"""Cells of a table in which a reason is looked for."""
MASKS = (".png", ".nii.gz", ".nii", ".nrrd", ".mha")
WORD_ENDS = re.compile(r"[|;,]")
"""What separates the words of several findings in one cell, as in "Nodule|Mass"."""
PICTURE_FOLDER = re.compile(r"image|picture|preview|thumb|dicom|stud(y|ies)", re.IGNORECASE)
"""Names of folders whose PNG files are pictures of the images, not masks."""
LOUD = frozenset({
    "mask_folder", "foreign_format", "too_large", "table_unreadable", "no_image_column", "nearly_finding",
    "not_labels", "words",
})  # fmt: skip
"""Reasons that make a warning, because the file may have been meant to be read."""

OTHER_FORMAT = "other_format", "the file is in no format of annotations"


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is not read."""

    path: str
    """Below the annotations folder."""
    reason: str
    message: str
    """Without names of the input."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read, to tell why a file is not."""

    used: Collection[Path]
    """Files that a source, or a table of the config, reads."""
    findings: Sequence[str] = ()
    stated: bool = False
    """Whether the config states the sources."""
    formats: Collection[str] = ()
    """Formats of the sources."""

    @property
    def folders(self) -> set[Path]:
        """Folders with a file that is read."""
        return {file.parent for file in self.used}


def unread_files(
    path: Path, reading: Reading, *, excluded: Collection[Path] = (), executor: Executor | None = None
) -> list[Unread]:
    """The files below a folder that are not read, in the order of their paths; hidden files are left out.

    `excluded` are files and folders that belong to the run's other inputs and outputs. `executor` opens the
    files; one that it cannot open within its limits has that reason.
    """
    if not path.is_dir():
        return []
    files: list[Path] = []
    last: list[Unread] = []
    for number, file in enumerate(walk_files(path, excluded)):
        if file in reading.used:
            continue
        if number >= MOST_FILES:
            message = f"more than {MOST_FILES:,} files lie below the annotations; the rest was not looked at"
            last = [Unread("", "too_many_files", message)]
            break
        files.append(file)
    opened = [file for file in files[:MOST_OPENED] if _suffix(file) not in MASKS]
    contents = dict(zip(opened, _opened(opened, reading, executor), strict=True))
    folders, stems = reading.folders, {file_stem(_stem(file.name)) for file in reading.used}
    found = []
    for file in files:
        mask = _suffix(file) in MASKS
        reason, message = (
            _why_mask(file, path, reading, folders, stems) if mask else contents.get(file, OTHER_FORMAT)
        )
        found.append(Unread(file.relative_to(path).as_posix(), reason, message))
    return [*found, *last]


def _opened(files: Sequence[Path], reading: Reading, executor: Executor | None) -> Iterator[tuple[str, str]]:
    """Why each of the files is not read, by its content."""
    why = partial(
        _why, findings=tuple(reading.findings), stated=reading.stated, formats=tuple(reading.formats)
    )
    if executor is None:
        return map(why, files)
    return executor.stream(why, files, on_failure=_not_opened)


def _not_opened(_file: Path, error: CaseError) -> tuple[str, str]:
    return error.reason, error.message


def what_is_there(path: Path, findings: Sequence[str]) -> str:
    """Why the files below a folder, or the file, are not read, the likeliest first; empty without files."""
    root = path if path.is_dir() else path.parent
    found = unread_files(root, Reading((), findings))
    groups = by_reason(found if path.is_dir() else [entry for entry in found if entry.path == path.name])
    order = sorted(groups.items(), key=lambda group: (group[0][0] not in LOUD, -len(group[1])))
    parts = []
    for (_, message), files in order[:MOST_NAMED]:
        more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        parts.append(f"{files[0].path}{more} ({message})")
    return ", ".join(parts)


def _why(file: Path, *, findings: Sequence[str], stated: bool, formats: Sequence[str]) -> tuple[str, str]:
    """Reason and message of a file, not a mask, that is not read."""
    if _suffix(file) in {".csv", ".tsv"}:
        return _why_table(file, findings, stated=stated)
    kind = kind_of_file(file)
    if kind == "dicom":
        return "other_dicom", f"the file is {FOREIGN[kind]}"
    if kind in formats and kind in ONE_PER_IMAGE:
        return "no_shape", "the file holds no shape of a finding"
    if kind in FOREIGN:
        return "foreign_format", f"the file is {FOREIGN[kind]}"
    if _suffix(file) == ".json" and file.stat().st_size > LARGEST_BYTES:
        return "too_large", (
            f"the file has more than {LARGEST_BYTES >> 20} MiB and is not looked into; if it "
            "holds annotations, split it, and list the parts as sources"
        )
    return OTHER_FORMAT


def _why_mask(
    file: Path, root: Path, reading: Reading, folders: set[Path], stems: set[str]
) -> tuple[str, str]:
    if file_stem(_stem(file.name)) in stems and not reading.stated:
        return "second_mask", "another file is read as the mask of the image"
    if reading.stated or file.parent in folders:
        return "no_pattern", "the file matches no pattern of annotations.sources"
    names = file.relative_to(root).parts[:-1]
    if any(PICTURE_FOLDER.search(name) for name in names):
        return "picture_folder", "the folder's name is one of pictures, not of masks"
    near = nearest(names[-1], reading.findings) if names else ""
    similar = f"; the nearest finding is '{near}'" if near else ""
    return "mask_folder", (
        "the folder's name is neither a finding nor a word such as masks, or the folder is deeper than two "
        f"levels{similar}; name the files in annotations.sources, with a pattern such as "
        "masks/{folders}/{image}.png"
    )


def _why_table(file: Path, findings: Sequence[str], *, stated: bool) -> tuple[str, str]:
    try:
        return _why_not(read_table(file), findings, stated=stated)
    except ConfigError:
        return "table_unreadable", (
            "the table is not CSV in UTF-8, has rows with more cells than columns, or more than "
            f"{MOST_COLUMNS:,} columns or {LARGEST_TABLE_BYTES >> 20} MiB; save it as CSV in UTF-8"
        )


def _why_not(table: Table, findings: Sequence[str], *, stated: bool) -> tuple[str, str]:
    """Why a table is not read; of a table without labels, the first `MOST_CELLS` cells are looked at."""
    if has_coordinates(table) and not stated:
        for _ in table.select(()):  # boxes are read unless a row is malformed
            pass
    if stated and has_coordinates(table):
        return "other_table", "the table is none of those that the config names"
    if table.find_image_column() is None:
        return "no_image_column", (
            f"the table has no column that names images; call it {' or '.join(IMAGE_COLUMNS)}, or name it in "
            "the config"
        )
    return _why_no_labels(table, findings)


def _why_no_labels(table: Table, findings: Sequence[str]) -> tuple[str, str]:
    alike = {name: finding for name in table.columns if (finding := same(name, findings))}
    numbers, rows = dict.fromkeys(alike, True), dict.fromkeys(alike, 0)
    for number, row in _some(table, list(alike)):
        for name, cell in row.items():
            rows[name] = rows[name] or (0 if is_label(cell) else number)
            numbers[name] = numbers[name] and (not cell or _is_number(cell))
    for name, row_number in rows.items():
        if row_number and numbers[name]:
            return (
                "probabilities",
                "columns of the table are called like findings, but hold numbers, not labels",
            )
        if row_number:
            return "not_labels", (
                f"the column of '{alike[name]}' has no label in row {row_number}; write 1, 0, true, "
                "false or -1"
            )
    if alike:
        return (
            "other_labels",
            "the table holds labels and is not the one in use; name the right one in annotations.labels",
        )
    near = (
        (place, nearest(name, findings)) for place, name in enumerate(dict.fromkeys(table.columns), start=1)
    )
    place, finding = next(((place, finding) for place, finding in near if finding), (0, ""))
    if finding:
        return "nearly_finding", (
            f"the table has no column of a finding; column {place} has a name similar to '{finding}': map "
            "it in annotations.labels.columns"
        )
    return _why_words(table, findings)


def _why_words(table: Table, findings: Sequence[str]) -> tuple[str, str]:
    known: dict[str, bool] = {}
    places = {name: place for place, name in reversed([*enumerate(table.columns, start=1)])}
    found = len(table.columns) + 1
    for _, row in _some(table, table.columns):
        for name, cell in row.items():
            if places[name] < found and cell:
                if cell not in known:
                    known[cell] = any(same(word.strip(), findings) for word in WORD_ENDS.split(cell))
                found = places[name] if known[cell] else found
    if found <= len(table.columns):
        return "words", (
            f"column {found} of the table holds words of findings; if it lists all findings of an "
            "image, name it in annotations.labels.words; else write a column per finding, with 1 or 0"
        )
    return "no_finding_column", "the table has neither the columns of boxes nor one of a finding"


def _some(table: Table, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Number and some columns of the first rows, `MOST_CELLS` cells at most."""
    return islice(table.numbered(columns), MOST_CELLS // max(1, len(columns)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _suffix(file: Path) -> str:
    name = file.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else file.suffix.lower()


def _stem(name: str) -> str:
    return name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else Path(name).stem


def by_reason(files: Iterable[Unread]) -> Mapping[tuple[str, str], list[Unread]]:
    """Reason and message → the files that are not read for it."""
    found: dict[tuple[str, str], list[Unread]] = {}
    for entry in files:
        found.setdefault((entry.reason, entry.message), []).append(entry)
    return found

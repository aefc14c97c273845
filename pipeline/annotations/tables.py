"""Tables: CSV files with one row per image or per box."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from pipeline.annotations.source_files import error_position, refuse_large_file
from pipeline.annotations.spelling import plain
from pipeline.errors import ConfigError

IMAGE_COLUMNS = ("sop_instance_uid", "image", "file", "image_id", "stem")
"""Recognised names of the column with the image of each row; the first one present is used."""
OTHER_IMAGE_COLUMNS = (
    "path", "file_name", "file_path", "image_path", "image_name", "image_file", "image_index", "dicom_id",
)  # fmt: skip
"""Names that are taken for those above if there is none of them, which is a guess."""

OWNER_WORDS = frozenset({
    "patient", "patientid", "subject", "subjectid", "study", "studyid", "studyinstanceuid", "seriesid",
    "seriesinstanceuid", "accession", "accessionnumber",
})  # fmt: skip
"""Spellings of columns that say to which patient, study or series an image belongs."""

FIRST_ROW = "name the columns in the first row"
SEPARATORS = ",;\t"
"""Spreadsheets in languages with decimal commas write semicolons."""
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""First bytes of a file → its encoding; without them, a table is in UTF-8."""


@dataclass(frozen=True, slots=True)
class Table:
    """The content of a CSV file; cells are stripped, missing cells are empty."""

    file: Path
    """Path of the file."""
    columns: tuple[str, ...]
    """Names in the first row."""
    rows: Sequence[Mapping[str, str]]
    """Column → cell, one per row."""
    separator: str = ","

    def column(self, name: str) -> str:
        """`name`. Raises ConfigError if the table has no such column, or several.

        The message does not quote column names, because a table without header has patient data there.
        """
        if name not in self.columns:
            near = get_close_matches(name, self.columns, n=1)
            similar = f"column {self.columns.index(near[0]) + 1} has a similar name" if near else ""
            remedy = f"{similar}, correct one of the two" if similar else FIRST_ROW
            raise ConfigError(f"{self.file}: has no column '{name}'; {remedy}")
        if self.columns.count(name) > 1:
            raise ConfigError(f"{self.file}: has several columns '{name}'; rename all but one")
        return name

    def image_column(self) -> str:
        """The column that names the image of each row. Raises ConfigError if there is none."""
        found = self.find_image_column()
        if found is None:
            raise ConfigError(
                f"{self.file}: has no column for the image; {FIRST_ROW} and call one of them "
                f"{' or '.join(IMAGE_COLUMNS)}, or set the column's name in the config"
            )
        return self.column(found)

    def find_image_column(self) -> str | None:
        """The first of `IMAGE_COLUMNS`, else a column of similar meaning; None if there is neither."""
        by_plain = {plain(name): name for name in reversed(self.columns)}
        exact = (name for name in IMAGE_COLUMNS if name in self.columns)
        similar = (by_plain.get(plain(name)) for name in (*IMAGE_COLUMNS, *OTHER_IMAGE_COLUMNS))
        return next((name for name in (*exact, *similar) if name is not None), None)

    def refuse_shared_names(self, image: str) -> None:
        """Raise ConfigError if one name in the column `image` is that of images of several patients."""
        for column in self.columns:
            if column == image or plain(column) not in OWNER_WORDS:
                continue
            owners: dict[str, tuple[str, int]] = {}
            for line, row in enumerate(self.rows, start=2):
                name, owner = row[image], plain(row[column])
                first, where = owners.setdefault(name, (owner, line)) if name and owner else (owner, line)
                if first != owner:
                    raise ConfigError(
                        f"{self.file}: rows {where} and {line} name the same image, but differ in column "
                        f"'{column}', so that the name alone does not tell images apart; write names with "
                        "folders, such as patient/study/image, or SOP instance UIDs"
                    )

    def cells(self, column: str) -> Iterator[str]:
        """The cells of a column that are not empty."""
        return (row[column] for row in self.rows if row[column])


def read_table(file: Path) -> Table:
    """The content of a CSV file in UTF-8, or in UTF-16 with a byte order mark. Raises ConfigError."""
    refuse_large_file(file)
    try:
        with file.open("rb") as start:
            encoding = BYTE_ORDER_MARKS.get(start.read(2), "utf-8-sig")
        with file.open(encoding=encoding, newline="") as stream:
            return _parsed(file, stream)
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    except (UnicodeError, csv.Error) as error:
        raise ConfigError(
            f"{file}: is not a CSV table in UTF-8{error_position(error)}; save it as CSV in UTF-8"
        ) from error


def _parsed(file: Path, stream: TextIO) -> Table:
    header = stream.readline()
    if "\0" in header:
        raise csv.Error
    start = 0
    separator = max(SEPARATORS, key=header.count)
    if header.casefold().startswith("sep=") and len(header.strip()) == len("sep=;"):  # as Excel writes it
        start, separator = 1, header.strip()[-1]
    stream.seek(0)
    lines = csv.reader(stream, delimiter=separator, strict=True)
    for _ in range(start):
        next(lines, None)
    columns = tuple(name.strip() for name in next(lines, []))
    rows = []
    for number, line in enumerate(lines, start=2 + start):
        if any(cell.strip() for cell in line[len(columns) :]):
            raise ConfigError(
                f"{file}: row {number} has more cells than the first row has columns; put cells that contain "
                f"'{separator}' in quotes, or name all columns in the first row"
            )
        if any(line):
            # Rows may be short, because some spreadsheets drop trailing empty cells.
            cells = {name: cell.strip() for name, cell in zip(columns, line, strict=False)}
            rows.append(dict.fromkeys(columns, "") | cells)
    return Table(file, columns, rows, separator)

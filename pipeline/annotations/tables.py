"""Tables: CSV files with one row per image or per box, read row by row in the columns that are asked for.

Nothing of a table but its first rows is kept, so a wide table costs no more memory than a narrow one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from pipeline.annotations.csv_rows import Cells, csv_rows
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
SNIFFED_ROWS = 20
"""Rows that are read with the header, to tell what a table is."""
MOST_COLUMNS = 10_000
MOST_CELLS = 10**8
"""Rows times columns."""
MOST_EMPTY_ROWS = 2**21
"""Empty rows in succession: twice those of an empty sheet."""
Row = Mapping[str, str]
"""Column → cell, stripped; empty if the row is shorter."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: its columns and first rows, and its other rows when they are asked for."""

    file: Path
    """Path of the file."""
    columns: tuple[str, ...]
    """Names in the first row."""
    separator: str = ","
    first_rows: Sequence[Row] = ()
    """Up to `SNIFFED_ROWS` rows that are not empty, in all columns."""
    header: int = field(default=1, kw_only=True)
    """Number of the row that names the columns: 2 if the first one states the separator."""

    @property
    def rows(self) -> Iterator[Row]:
        """All rows that are not empty, in all columns, read one at a time; `select` is faster."""
        return self.select(self.columns)

    def select(self, columns: Iterable[str]) -> Iterator[Row]:
        """The named columns of all rows that are not empty, read one at a time; see `numbered`."""
        return (row for _, row in self.numbered(columns))

    def numbered(self, columns: Iterable[str]) -> Iterator[tuple[int, Row]]:
        """Number in the file, counted from 1, and the named columns of each row that is not empty.

        Of several columns of one name, the last counts. Raises ConfigError where the file is malformed, has
        more than `MOST_CELLS` cells, or is no longer the one whose columns are known.
        """
        last = {name: place for place, name in enumerate(self.columns)}
        wanted = {name: last[name] for name in columns}
        records = csv_rows(self.file)
        separator, header, first = next(records)
        if (separator, header, _names(first)) != (self.separator, self.header, self.columns):
            raise ConfigError(f"{self.file}: changed while it was read; start again")
        most_rows = MOST_CELLS // max(1, len(self.columns))
        last_row = self.header
        for _, number, line in records:
            if number - self.header > most_rows:
                raise ConfigError(
                    f"{self.file}: has more than {MOST_CELLS:,} cells (rows × columns); leave out columns, "
                    "or split it, and list the parts as sources"
                )
            if self._holds_cells(number, line):
                last_row = number
                row = {name: line[i].strip() if i < len(line) else "" for name, i in wanted.items()}
                yield number, row
            elif number - last_row > MOST_EMPTY_ROWS:
                raise ConfigError(
                    f"{self.file}: has more than {MOST_EMPTY_ROWS:,} empty rows in succession; remove them"
                )

    def _holds_cells(self, number: int, line: Cells) -> bool:
        """Whether a row is not empty. Rows may be short, because some spreadsheets drop empty cells."""
        width = len(self.columns)
        if len(line) > width and any(cell.strip() for cell in line[width:]):
            raise ConfigError(
                f"{self.file}: row {number} has more cells than the first row has columns; put cells that "
                f"contain '{self.separator}' in quotes, or name all columns in the first row"
            )
        return any(line)

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
        columns = [name for name in self.columns if name != image and plain(name) in OWNER_WORDS]
        owners: dict[str, dict[str, tuple[str, int]]] = {name: {} for name in columns}
        for line, row in self.numbered((image, *columns)) if columns else ():
            name = row[image]
            for column in columns:
                owner = plain(row[column])
                first, where = (
                    owners[column].setdefault(name, (owner, line)) if name and owner else (owner, line)
                )
                if first != owner:
                    raise ConfigError(
                        f"{self.file}: rows {where} and {line} name the same image, but differ in column "
                        f"'{column}', so that the name alone does not tell images apart; write names with "
                        "folders, such as patient/study/image, or SOP instance UIDs"
                    )

    def cells(self, column: str) -> Iterator[str]:
        """The cells of a column that are not empty."""
        return (row[column] for row in self.select([column]) if row[column])


def read_table(file: Path) -> Table:
    """A CSV file in UTF-8, or in UTF-16 with a byte order mark: its columns and first rows.

    Raises ConfigError if the file cannot be read, or has more than `MOST_COLUMNS` columns.
    """
    separator, number, first = next(csv_rows(file))
    if len(first) > MOST_COLUMNS:
        raise ConfigError(
            f"{file}: has {len(first):,} columns, at most {MOST_COLUMNS:,} are read; leave out those that "
            "are not needed"
        )
    table = Table(file, _names(first), separator, header=number)
    return replace(table, first_rows=tuple(islice(table.rows, SNIFFED_ROWS)))


def _names(header: Cells) -> tuple[str, ...]:
    return tuple(name.strip() for name in header)

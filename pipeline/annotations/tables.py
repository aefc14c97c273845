"""Tables: CSV files with one row an image or a box."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipeline.annotations.source_files import position, refuse_giant
from pipeline.errors import ConfigError

IMAGE_COLUMNS = ("sop_instance_uid", "image", "file", "image_id", "stem")
"""Names under which tables say which image a row is about; the first present counts."""

FIRST_ROW = "the first row must name the columns"
SEPARATORS = ",;\t"
"""Spreadsheets set to a language with decimal commas write semicolons."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file as it was read; cells are stripped, missing ones empty."""

    file: Path
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]

    def column(self, name: str) -> str:
        """`name`, where the table has it; else a ConfigError.

        A table without a head has a patient's values there, so that no complaint quotes its columns.
        """
        if name not in self.columns:
            near = get_close_matches(name, self.columns, n=1)
            nearly = f"column {self.columns.index(near[0]) + 1} is nearly called so" if near else FIRST_ROW
            raise ConfigError(f"{self.file}: has no column '{name}'; {nearly}")
        return name

    def image_column(self) -> str:
        """The first of `IMAGE_COLUMNS` that the table has."""
        for name in IMAGE_COLUMNS:
            if name in self.columns:
                return name
        raise ConfigError(
            f"{self.file}: no column names the image; {FIRST_ROW}, one of them "
            f"{' or '.join(IMAGE_COLUMNS)}, or say which"
        )


def read_table(file: Path) -> Table:
    """The rows of a CSV file in UTF-8, with or without byte order mark; ConfigError where it is none."""
    refuse_giant(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            stream.seek(0)
            lines = csv.reader(stream, delimiter=max(SEPARATORS, key=header.count), strict=True)
            columns = tuple(name.strip() for name in next(lines, []))
            # Short rows happen, where a spreadsheet dropped trailing empty cells.
            rows = [
                dict.fromkeys(columns, "") | {n: c.strip() for n, c in zip(columns, line, strict=False)}
                for line in lines
                if any(line)
            ]
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{file}: is not a CSV table in UTF-8{position(error)}") from error
    return Table(file, columns, rows)

"""CSV rows: the cells of a CSV file, one row at a time, within bounds.

The csv module splits lines into cells. It is fed by lines whose length is bounded, so that neither an endless
line nor an endless cell is kept.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain, count
from pathlib import Path
from typing import TextIO, TypeAlias

from pipeline.annotations.source_files import LARGEST_TABLE_BYTES
from pipeline.errors import ConfigError
from pipeline.guards.reading import Bounded, named, open_file

SEPARATORS = ",;\t"
"""Spreadsheets in languages with decimal commas write semicolons."""
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""First bytes of a file → its encoding; without them, a table is in UTF-8."""
LONGEST_ROW = 2**22
"""Characters of one row, which may have several lines; more is not a table."""
LONGEST_CELL = 2**17
"""Characters of one cell: the limit that the csv module sets by itself."""
Cells: TypeAlias = list[str]


def csv_rows(file: Path) -> Iterator[tuple[str, int, Cells]]:
    """Separator, number and cells of each row; the first names the columns, and is empty if there is none.

    A line that only states the separator ("sep=;", as Excel writes it) counts as row 1, and is left out.
    Raises ConfigError, whose message has no text of the file.
    """
    with named(file), open_file(file, most_bytes=LARGEST_TABLE_BYTES) as stream:
        try:
            yield from _rows(stream)
        except (UnicodeError, csv.Error) as error:
            where = f" (byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
            raise ConfigError(
                f"{file}: is not a CSV table in UTF-8{where}; save it as CSV in UTF-8"
            ) from error
        except _TooLongError as error:
            raise ConfigError(
                f"{file}: {error} is longer than {LONGEST_ROW:,} characters, or has a cell of more than "
                f"{LONGEST_CELL:,}; save it as CSV, with one row per line"
            ) from error


class _TooLongError(Exception):
    """A row that is too long; its text is the row's number."""


class _Lines(Iterator[str]):
    """The lines of a file. `row` is the number of the row that they belong to, which the reader keeps."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._left = LONGEST_ROW
        self.row = 1

    def begin_row(self, number: int) -> None:
        """State that the lines that follow belong to another row."""
        self.row, self._left = number, LONGEST_ROW

    def __next__(self) -> str:
        line = self._stream.readline(self._left + 1)
        if not line:
            raise StopIteration
        if "\0" in line:
            raise csv.Error
        self._left -= len(line)
        if self._left < 0:
            raise _TooLongError(f"row {self.row}")
        return line


def _rows(stream: Bounded) -> Iterator[tuple[str, int, Cells]]:
    encoding = BYTE_ORDER_MARKS.get(stream.peek(2)[:2], "utf-8-sig")
    with TextIOWrapper(stream, encoding=encoding, newline="") as text:
        lines = _Lines(text)
        first = next(lines, "")
        separator, header = max(SEPARATORS, key=first.count), 1
        if first.casefold().startswith("sep=") and len(first.strip()) == len("sep=;"):
            separator, header = first.strip()[-1], 2
            lines.begin_row(header)
            first = next(lines, "")
        reader = csv.reader(chain([first] if first else [], lines), delimiter=separator, strict=True)
        names = _next_row(reader, lines)
        yield separator, header, [] if names is None else names
        for number in count(header + 1):
            lines.begin_row(number)
            row = _next_row(reader, lines)
            if row is None:
                return
            yield separator, number, row


def _next_row(reader: Iterator[Cells], lines: _Lines) -> Cells | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        if "field limit" in str(error):
            raise _TooLongError(f"row {lines.row}") from error
        raise

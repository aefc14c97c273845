"""Tables: the rows of a run's CSV files, checked against `columns` on the way in."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from pipeline.guards.csv_injection import unescape_formulas
from pipeline.guards.reading import open_file
from pipeline.run_files.cells import Column
from pipeline.run_files.columns import NEEDED, TABLES, UNIQUE, Columns
from pipeline.run_files.damage import as_damage, damaged, shown
from pipeline.run_files.parquet import parquet_rows, stored_table

LARGEST_BYTES = 2**34
"""Bytes of a table: scores.csv of 50,000 images takes some gigabytes."""
LONGEST_HEADER = 2**16
"""Characters."""
WITH_NAMES = "crosswalk.csv"
"""The table with names of files, whose bytes need not be UTF-8."""
NOT_CSV = "is not a CSV in UTF-8"
MOST_TEXTS = 1_000_000
"""Texts of a column of a large table that are known to be right; further ones are checked each time."""

Known = Mapping[str, Collection[str]]
"""Column → the only values that it may hold."""
NOTHING_KNOWN: Known = MappingProxyType({})


def columns_of(path: Path) -> Columns:
    """What the columns of a table hold, by the table's name."""
    return TABLES[path.name]


def read_rows(path: Path, known: Known = NOTHING_KNOWN) -> Iterator[dict[str, str]]:
    """The rows of a table, with escaped formulas restored; they hold what `columns` and `known` say.

    Columns that the table may lack are not added. Raises ConfigError for any other file. A table of many
    rows may be stored as Parquet in place of the CSV.
    """
    if (stored := stored_table(path)) != path:
        yield from _parquet_rows(path, stored, known)
        return
    with _opened(path) as text:
        lines = csv.reader(text, strict=True)
        header = check_header(path, next(lines, []))
        checks = [(name, columns_of(path)[name], known.get(name)) for name in header]
        sound: list[set[str]] = [set() for _ in header]
        met: set[tuple[str, ...]] = set()
        for number, cells in enumerate(lines, start=1):
            if len(cells) != len(header):
                raise damaged(path, f"row {number}: found {len(cells)} cells, wanted {len(header)}")
            row = {}
            for (name, column, names), cell, passed in zip(checks, cells, sound, strict=True):
                row[name] = meant = unescape_formulas(cell)
                if meant not in passed:
                    check_cell(path, f"row {number}", name, meant, column=column, names=names)
                    passed.add(meant)
            _check_row(path, number, row, met)
            yield row


def _parquet_rows(path: Path, stored: Path, known: Known) -> Iterator[dict[str, str]]:
    sound: dict[str, set[str]] = {name: set() for name in columns_of(path)}
    for number, row in enumerate(parquet_rows(stored), start=1):
        for name, column in columns_of(path).items():
            if row[name] not in sound[name]:
                check_cell(stored, f"row {number}", name, row[name], column=column, names=known.get(name))
                if len(sound[name]) < MOST_TEXTS:
                    sound[name].add(row[name])
        yield row


def check_header(path: Path, header: Sequence[str]) -> Sequence[str]:
    """The names of a table's columns. Raises ConfigError if one is missing, unknown or there twice."""
    columns = columns_of(path)
    for name, column in columns.items():
        if column.required and name not in header:
            raise damaged(path, f"has no column '{name}'")
    for index, name in enumerate(header):
        if name not in columns:
            raise damaged(path, f"has an unknown column {shown(name)}")
        if name in header[:index]:
            raise damaged(path, f"has the column '{name}' twice")
    return header


def check_cell(
    path: Path, where: str, name: str, cell: str, *, column: Column, names: Collection[str] | None
) -> None:
    """Raise ConfigError if a cell does not hold what its column holds, or a name that is not in `names`."""
    found = shown(cell) if column.quoted else "other text"
    if not column.holds(cell):
        raise damaged(path, f"{where}: {name}: found {found}, wanted {column.wanted}")
    if names is not None and cell not in names:
        raise damaged(path, f"{where}: {name}: found {found}, which this run does not have")


def header_of(path: Path) -> Sequence[str]:
    """The checked names of a table's columns."""
    with _opened(path) as text:
        return check_header(path, next(csv.reader(io.StringIO(text.readline(LONGEST_HEADER))), []))


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOWrapper]:
    """The text of a table; ConfigError for what cannot be read, also inside the block."""
    with as_damage(path), open_file(path, most_bytes=LARGEST_BYTES) as file:
        _refuse_cut(path, file)
        errors = "surrogateescape" if path.name == WITH_NAMES else "strict"
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors, newline="")
        try:
            yield text
        except (csv.Error, UnicodeDecodeError) as error:
            raise damaged(path, NOT_CSV) from error
        finally:
            text.detach()


def _refuse_cut(path: Path, file: BinaryIO) -> None:
    """Raise ConfigError if the last line of a table has no end, which every written table has."""
    if file.seek(0, io.SEEK_END):
        file.seek(-1, io.SEEK_END)
        if file.read(1) not in {b"\n", b"\0"}:  # a table in UTF-16 ends with a null byte
            raise damaged(path, "was cut: its last line has no end")
    file.seek(0)


def _check_row(path: Path, number: int, row: Mapping[str, str], met: set[tuple[str, ...]]) -> None:
    for needed in NEEDED.get(path.name, ()):
        for name in needed.columns:
            if row[needed.given] and not row[name]:
                raise damaged(path, f"row {number}: {name}: found nothing, wanted a value as in the others")
    if path.name in UNIQUE:
        key = tuple(row[name] for name in UNIQUE[path.name])
        if key in met:
            raise damaged(path, f"row {number}: repeats the {', '.join(UNIQUE[path.name])} of another row")
        met.add(key)

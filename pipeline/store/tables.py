"""Tables: the CSV and JSON files of a finished run; `reports/README.md` describes each file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from pipeline.guards.csv_injection import CACHED_TEXTS, escape_formulas
from pipeline.records import Summary
from pipeline.run_files.columns import TABLES
from pipeline.run_files.parquet import stored_table
from pipeline.run_files.tables import read_rows
from pipeline.store.atomic import EVERYBODY_READS, OWNER_ONLY, atomic_text

CASE_KEYS = ("case_id", "patient_id")
COLUMNS = {name: tuple(columns) for name, columns in TABLES.items()}
"""Name of a table → its columns, in their order."""


class Writer(Protocol):
    """Type of the csv module's writers."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""


@contextmanager
def open_table(run: Path, name: str) -> Iterator[Callable[[Mapping[str, object]], None]]:
    """A function that adds a row to one of the tables in `COLUMNS`, which appears when the block ends."""
    with atomic_text(run / name) as file:
        table = _table(file, COLUMNS[name])
        yield lambda row: table.writerow(_cells(row, COLUMNS[name]))


@contextmanager
def open_json_list(path: Path) -> Iterator[Callable[[str], None]]:
    """A function that adds an entry, as JSON, to a list in a file, which appears when the block ends."""
    with atomic_text(path) as file:
        separator = "[\n"

        def add(entry: str) -> None:
            nonlocal separator
            file.write(separator + entry)
            separator = ",\n"

        yield add
        file.write("[]\n" if separator == "[\n" else "\n]\n")


def row_of_case(case: Mapping[str, Any]) -> dict[str, object]:
    """The row of cases.csv of a case's JSON.

    The case's own `view` is a box and stays out; the attribute `view` is a projection.
    """
    spacing = case["spacing_mm"] or (None, None)
    return {
        **{key: case[key] for key in (*CASE_KEYS, "frame", "rows", "columns")},
        "spacing_row_mm": spacing[0],
        "spacing_column_mm": spacing[1],
        **case["attributes"],
    }


def write_table(run: Path, name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Write one of the tables in `COLUMNS`.

    The crosswalk is readable by its owner alone, and synced to disk, because its sources are then removed.
    """
    is_crosswalk = name == "crosswalk.csv"
    with atomic_text(
        run / name, mode=OWNER_ONLY if is_crosswalk else EVERYBODY_READS, durable=is_crosswalk
    ) as file:
        table = _table(file, COLUMNS[name])
        for row in rows:
            table.writerow(_cells(row, COLUMNS[name]))


def read_table(run: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table as text, with escaped formulas restored; empty if the table does not exist.

    Raises ConfigError if the table is damaged.
    """
    path = run / name
    return list(read_rows(path)) if stored_table(path).exists() else []


def summary_row(summary: Summary, *, better: str, unit: str) -> dict[str, object]:
    """One row of summary.csv."""
    return {
        "finding": summary.finding,
        "reader": summary.reader,
        "method": summary.method,
        "metric": summary.metric,
        "n": summary.n,
        "undefined": sum(summary.undefined.values()),
        "reasons": "; ".join(f"{reason}={count}" for reason, count in sorted(summary.undefined.items())),
        "patients": summary.patients,
        "estimate": summary.estimate,
        "low": summary.low,
        "high": summary.high,
        "better": better,
        "unit": unit,
    }


def _table(file: io.TextIOBase, columns: Sequence[str]) -> Writer:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return writer


def _cells(row: Mapping[str, object], columns: Sequence[str]) -> list[object]:
    """Cells that no spreadsheet reads as a formula; numbers stay numbers."""
    return [_text(value) if isinstance(value, str) else value for value in map(row.get, columns)]


@lru_cache(CACHED_TEXTS)
def _text(value: str) -> str:
    # The csv module does not quote a lone carriage return, which readers take for the end of the row.
    return escape_formulas(value).replace("\r", "\n")

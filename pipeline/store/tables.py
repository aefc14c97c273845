"""Tables: the CSV and JSON files of a finished run; `reports/README.md` describes each file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from pipeline.guards.csv_injection import escape_formulas
from pipeline.records import Skipped, Summary
from pipeline.run_files.columns import TABLES
from pipeline.run_files.tables import read_rows
from pipeline.store.atomic import EVERYBODY_READS, OWNER_ONLY, atomic_text
from pipeline.store.cases import read_case

CASE_KEYS = ("case_id", "patient_id")
COLUMNS = {name: tuple(columns) for name, columns in TABLES.items()}
"""Name of a table → its columns, in their order."""


class Writer(Protocol):
    """Type of the csv module's writers."""

    def writerow(self, row: Iterable[Any], /) -> Any:
        """Write one row."""


def write_case_tables(run: Path, case_ids: Iterable[str]) -> Iterator[dict[str, Any] | Skipped]:
    """Write cases.csv, predictions.csv, scores.csv and regions.json from the finished cases, yielding each.

    Only one case is in memory at a time. The files appear once the last case was consumed.
    """
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(atomic_text(run / name))
            for name in ("cases.csv", "predictions.csv", "scores.csv", "regions.json")
        }
        tables = {name: _table(file, COLUMNS[name]) for name, file in files.items() if name in COLUMNS}
        regions = _JsonList(files["regions.json"])
        for case_id in case_ids:
            case = read_case(run, case_id)
            if not isinstance(case, Skipped):
                _write_case(tables, regions, case)
            yield case
        regions.end()


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
    return list(read_rows(path)) if path.exists() else []


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


def _write_case(tables: Mapping[str, Writer], regions: _JsonList, case: Mapping[str, Any]) -> None:
    keys = {key: case[key] for key in CASE_KEYS}
    spacing = case["spacing_mm"] or (None, None)
    facts = {
        **keys,
        **{key: case[key] for key in ("frame", "rows", "columns")},
        "spacing_row_mm": spacing[0],
        "spacing_column_mm": spacing[1],
    }
    # The case's own `view` is a box and stays out; the attribute `view` is a projection.
    tables["cases.csv"].writerow(_cells({**facts, **case["attributes"]}, COLUMNS["cases.csv"]))
    for prediction in case["predictions"]:
        extra = {
            "predicted": int(prediction["probability"] >= prediction["threshold"]),
            "label": case["labels"].get(prediction["finding"]),
        }
        tables["predictions.csv"].writerow(
            _cells({**keys, **prediction, **extra}, COLUMNS["predictions.csv"])
        )
    for score in case["scores"]:
        tables["scores.csv"].writerow(_cells({**keys, **score}, COLUMNS["scores.csv"]))
    for region in case["regions"]:
        regions.add({"case_id": case["case_id"], **region})


def _table(file: io.TextIOBase, columns: Sequence[str]) -> Writer:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return writer


def _cells(row: Mapping[str, object], columns: Sequence[str]) -> list[object]:
    return [_cell(row.get(column)) for column in columns]


def _cell(value: object) -> object:
    """A cell that no spreadsheet reads as a formula; numbers stay numbers."""
    if not isinstance(value, str):
        return value
    # The csv module does not quote a lone carriage return, which readers take for the end of the row.
    return escape_formulas(value).replace("\r", "\n")


class _JsonList:
    """Writer of a JSON list, item by item."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self._separator = "[\n"

    def add(self, item: object) -> None:
        self._file.write(self._separator + json.dumps(item, ensure_ascii=False, allow_nan=False))
        self._separator = ",\n"

    def end(self) -> None:
        self._file.write("\n]\n" if self._separator != "[\n" else "[]\n")

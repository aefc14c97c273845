"""Parquet tables: the tables of a run of very many images as columns, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.run_files.parquet import COUNTS, LARGE, NUMBERS, parquet_of
from pipeline.run_files.tables import read_rows
from pipeline.store.parquet import write_parquet

Damage = Callable[[Random, Path], object]
"""Damages a file in place."""
READ = tuple(map(parquet_of, LARGE))
WORDS = ("", "many", "\0", "../../etc", "=1", "²", "a" * 150_000)
FLOATS = (-1.0, 2.0, 1e300, float("inf"), float("nan"))
COUNTED = (-1, 0, 2, 2**40, None)


def as_parquet(path: Path) -> None:
    """Put a Parquet file in the place of a CSV; `path` is that of the Parquet file."""
    table = path.with_suffix(".csv")
    rows = [{name: _value(name, cell) for name, cell in row.items()} for row in read_rows(table)]
    write_parquet(path.parent, table.name, rows)
    table.unlink()


def _value(name: str, cell: str) -> Any:
    if name in NUMBERS:
        return float(cell) if cell else None
    return int(cell) if cell and name in COUNTS else cell or None if name in COUNTS else cell


def _rewritten(change: Callable[[Random, pa.Table], pa.Table]) -> Damage:
    def damage(random: Random, path: Path) -> None:
        pq.write_table(change(random, pq.read_table(path)), path)

    return damage


def _of_column(change: Callable[[Random, pa.Table, str], pa.Table]) -> Damage:
    return _rewritten(lambda random, table: change(random, table, random.choice(table.column_names)))


def _removed(_: Random, table: pa.Table, name: str) -> pa.Table:
    return table.drop_columns([name])


def _renamed(_: Random, table: pa.Table, name: str) -> pa.Table:
    return table.rename_columns([column + "s" * (column == name) for column in table.column_names])


def _twice(_: Random, table: pa.Table, name: str) -> pa.Table:
    return table.append_column(name, table[name])


def _nulls(_: Random, table: pa.Table, name: str) -> pa.Table:
    return _with(table, name, pa.nulls(len(table), table[name].type))


def _other_type(random: Random, table: pa.Table, name: str) -> pa.Table:
    kinds = (
        pa.array([b"\xff"] * len(table)),
        pa.array([[1]] * len(table)),
        pa.array([{"a": 1}] * len(table)),
    )
    return _with(table, name, random.choice(kinds))


def _other_values(random: Random, table: pa.Table, name: str) -> pa.Table:
    kind = table[name].type
    known = FLOATS if pa.types.is_floating(kind) else COUNTED if pa.types.is_integer(kind) else WORDS
    cells = table[name].to_pylist()
    for row in random.choice((range(len(cells)), [0], [len(cells) - 1])):
        cells[row] = random.choice(known)
    return _with(table, name, pa.array(cells, kind))


def _not_text(_: Random, table: pa.Table) -> pa.Table:
    """Bytes that are no UTF-8 where text is announced."""
    text = next(name for name in table.column_names if pa.types.is_dictionary(table[name].type))
    bytes_ = pa.array([b"\xff\xfe"]).buffers()
    word = pa.StringArray.from_buffers(1, bytes_[1], bytes_[2])
    return _with(table, text, pa.DictionaryArray.from_arrays(pa.array([0] * len(table), pa.int32()), word))


def _with(table: pa.Table, name: str, cells: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, cells)


OF_TABLES: dict[str, Damage] = {
    "as it was": lambda *_: None,
    "without rows": _rewritten(lambda _, table: table.slice(0, 0)),
    "rows twice": _rewritten(lambda _, table: pa.concat_tables([table, table])),
    "not text": _rewritten(_not_text),
    "no finding": _rewritten(lambda random, table: _nulls(random, table, "finding")),
    **{
        f"{change.__name__[1:]} {number}": _of_column(change)
        for change in (_removed, _renamed, _twice, _nulls, _other_type, _other_values)
        for number in range(6)
    },
}
"""Kinds of damage to a table that is a Parquet file; which column is chance."""

"""Parquet: the tables of a run that are stored as columns where they have more rows than a CSV should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.run_files.columns import TABLES, UNIQUE
from pipeline.run_files.damage import as_damage, damaged

MOST_ROWS: Final = 1_000_000
"""Rows of a CSV; about as many as a spreadsheet opens."""
LARGE: Final = ("predictions.csv", "scores.csv", "unmatched.csv")
"""Tables that may have more."""
NUMBERS: Final = ("value", "logit", "probability", "threshold")
COUNTS: Final = ("lesion", "predicted", "label", "number")
"""Columns of numbers, and of whole numbers; all others hold text."""
TEXT: Final = pa.dictionary(pa.int32(), pa.string())
ROWS_AT_ONCE: Final = 2**16
MOST_KEYS: Final = 2**62
"""Different keys of rows that an integer of 64 bits tells apart."""


def parquet_of(name: str) -> str:
    """The name of a table as Parquet, from that of its CSV."""
    return str(Path(name).with_suffix(".parquet"))


def stored_table(path: Path) -> Path:
    """The file of a table by the path of its CSV: that, or the Parquet that stands in its place.

    Raises ConfigError if both are there, as a run never leaves them.
    """
    parquet = path.with_suffix(".parquet")
    if path.name not in LARGE or not parquet.exists():
        return path
    if path.exists():
        raise damaged(path, f"stands beside {parquet.name}, and only one of them is the run's")
    return parquet


def schema_of(name: str) -> pa.Schema:
    """The columns of a table, by the name of its CSV."""
    types = {**dict.fromkeys(NUMBERS, pa.float64()), **dict.fromkeys(COUNTS, pa.int64())}
    return pa.schema([(column, types.get(column, TEXT)) for column in TABLES[name]])


@contextmanager
def open_parquet_table(path: Path) -> Iterator[pq.ParquetFile]:
    """A table of a run. Raises ConfigError, also inside the block, if it is cut or has other columns."""
    with as_damage(path), open_file(path, most_bytes=ANY_SIZE) as file:
        try:
            with pq.ParquetFile(file) as table:
                wanted = schema_of(f"{path.stem}.csv")
                if not table.schema_arrow.equals(wanted):
                    raise damaged(path, f"has other columns than {', '.join(wanted.names)}")
                yield table
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise damaged(path, "is not a Parquet table, or was cut") from error


def parquet_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table as text, as those of its CSV. Raises ConfigError if one repeats another's key."""
    with open_parquet_table(path) as table:
        refuse_repeats(path, table)
        for batch in table.iter_batches(ROWS_AT_ONCE):
            columns = {name: _texts(column) for name, column in zip(batch.schema.names, batch, strict=True)}
            for cells in zip(*columns.values(), strict=True):
                yield dict(zip(columns, cells, strict=True))


def refuse_repeats(path: Path, table: pq.ParquetFile) -> None:
    """Raise ConfigError if a row has the same cells as an earlier one in the columns that `UNIQUE` names."""
    names = UNIQUE.get(f"{path.stem}.csv", ())
    row = _repeated_row(table, names) if names else None
    if row is not None:
        raise damaged(path, f"row {row}: repeats the {', '.join(names)} of another row")


def _repeated_row(table: pq.ParquetFile, names: Sequence[str]) -> int | None:
    """Number, from 1, of the first row whose cells in these columns are those of an earlier one.

    One number stands for the cells of a row, and one column is read at a time: rows are many.
    """
    keys, different = np.zeros(table.metadata.num_rows, np.int64), 1
    for name in names:
        codes, count = _codes(table.read([name]).column(0))
        if different * count > MOST_KEYS:
            known, keys = np.unique(keys, return_inverse=True)
            different = len(known)
        keys = keys * count + codes
        different *= count
    in_order = np.sort(keys)
    if not (in_order[1:] == in_order[:-1]).any():
        return None
    order = np.argsort(keys, kind="stable")
    return int(order[1:][keys[order[1:]] == keys[order[:-1]]].min()) + 1


def _codes(cells: pa.ChunkedArray) -> tuple[NDArray[np.int64], int]:
    """A number for each cell, the same for the same text or count, and how many there are; null is empty."""
    is_text = pa.types.is_dictionary(cells.type)
    encoded = (cells if is_text else cells.dictionary_encode()).unify_dictionaries()
    numbers: dict[object, int] = {"": 0}
    known = encoded.chunk(0).dictionary.to_pylist() if encoded.num_chunks else []
    code_of = np.array([*(numbers.setdefault(cell, len(numbers)) for cell in known), 0], np.int64)
    places = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return code_of[np.concatenate([np.zeros(0, np.int32), *places])], len(numbers)


def _texts(column: pa.Array) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]

"""Parquet: the tables of a run that are stored as columns where they have more rows than a CSV should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.run_files.columns import TABLES
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


def parquet_of(name: str) -> str:
    """The name of a table as Parquet, from that of its CSV."""
    return str(Path(name).with_suffix(".parquet"))


def stored_table(path: Path) -> Path:
    """The file of a table by the path of its CSV: that, or the Parquet that stands in its place."""
    parquet = path.with_suffix(".parquet")
    return parquet if path.name in LARGE and parquet.exists() and not path.exists() else path


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
    """The rows of a table as text, as those of its CSV."""
    with open_parquet_table(path) as table:
        for batch in table.iter_batches(ROWS_AT_ONCE):
            columns = {name: _texts(column) for name, column in zip(batch.schema.names, batch, strict=True)}
            for cells in zip(*columns.values(), strict=True):
                yield dict(zip(columns, cells, strict=True))


def _texts(column: pa.Array) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]

"""Parquet: tables of a run that are too large for a CSV, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.run_files.parquet import ROWS_AT_ONCE, parquet_of, schema_of
from pipeline.store.atomic import atomic_file

ROWS_OF_A_GROUP: Final = 2**19
"""Rows that are written together: some 100 MB as columns."""


@contextmanager
def open_parquet(run: Path, name: str) -> Iterator[Callable[[pa.Table], None]]:
    """A function that adds rows to a table, by the name of its CSV; it appears when the block ends."""
    waiting: list[pa.Table] = []
    with (
        atomic_file(run / parquet_of(name)) as file,
        pq.ParquetWriter(file, schema_of(name), compression="zstd") as writer,
    ):

        def write() -> None:
            writer.write_table(pa.concat_tables(waiting).unify_dictionaries())
            waiting.clear()

        def add(rows: pa.Table) -> None:
            waiting.append(rows)
            if sum(map(len, waiting)) >= ROWS_OF_A_GROUP:
                write()

        yield add
        if waiting:
            write()


def write_parquet(run: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of a table, by the name of its CSV."""
    schema, left = schema_of(name), iter(rows)
    with open_parquet(run, name) as add:
        while some := list(islice(left, ROWS_AT_ONCE)):
            add(
                pa.Table.from_pydict(
                    {column: [row.get(column) for row in some] for column in schema.names}, schema
                )
            )

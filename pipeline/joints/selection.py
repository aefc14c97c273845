"""Selection: rows of a table about images, and which images they choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError
from pipeline.joints.intake import Case

Where = Mapping[str, Sequence[str]]
"""Column → the values that a row may have there."""


def selected(cases: Iterable[Case], file: Path, *, image: str, where: Where) -> list[Case]:
    """The cases whose row in a table has one of the wanted values in each column.

    Rows are found by SOP instance UID, file stem or file name in the column `image`. That none is chosen is a
    ConfigError.
    """
    table = read_table(file)
    for column in (image, *where):
        table.column(column)
    rows = {row[image]: row for row in table.rows}
    chosen = [case for case in cases if _matches(_row_of(case, rows), where)]
    if not chosen:
        wanted = ", ".join(f"{column} = {' or '.join(values)}" for column, values in where.items())
        raise ConfigError(f"{file}: no image of the study folder has a row with {wanted}")
    return chosen


def _row_of(case: Case, rows: Mapping[str, Mapping[str, str]]) -> Mapping[str, str] | None:
    source = case.source
    for key in (source.sop_instance_uid, source.stem, PurePosixPath(source.relative_path).name):
        if key and key in rows:
            return rows[key]
    return None


def _matches(row: Mapping[str, str] | None, where: Where) -> bool:
    return row is not None and all(row[column] in values for column, values in where.items())

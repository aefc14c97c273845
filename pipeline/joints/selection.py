"""Selection: rows of a table about images, and which images they choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError
from pipeline.joints.intake import Case
from pipeline.joints.naming import Names

Where = Mapping[str, Sequence[str]]
"""Column → the values that a row may have there."""
Cells = tuple[str, ...]
"""Of one row, in the columns that are asked for."""


def selected(cases: Sequence[Case], file: Path, *, image: str, where: Where) -> list[Case]:
    """The images whose row in a table has one of the wanted values in each column; `cases` are all there are.

    Rows are found by SOP instance UID, file stem or file name in the column `image`. A row that may be about
    several files, rows of one image that contradict each other, and that none is chosen are ConfigErrors.
    """
    rows = _rows(file, image, where)
    names = Names(cases)
    chosen = [case for case in cases if _matches(_row_of(case, rows, names, file), where)]
    if not chosen:
        wanted = ", ".join(f"{column} = {' or '.join(values)}" for column, values in where.items())
        raise ConfigError(f"{file}: no image of the study folder has a row with {wanted}")
    return chosen


def grouped(
    cases: Sequence[Case], file: Path, *, image: str, columns: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Column → case id → what the image's row says; images without a row are left out. Errors as above."""
    rows, names = _rows(file, image, columns), Names(cases)
    found = {case.case_id: _row_of(case, rows, names, file) for case in cases}
    return {
        column: {case_id: cells[place] for case_id, cells in found.items() if cells is not None}
        for place, column in enumerate(columns)
    }


def _rows(file: Path, image: str, columns: Iterable[str]) -> Mapping[str, set[Cells]]:
    """Key of the image → what its rows say."""
    table = read_table(file)
    for column in (image, *columns):
        table.column(column)
    rows: dict[str, set[Cells]] = defaultdict(set)
    for row in table.rows:
        rows[image_key(row[image])].add(tuple(row[column] for column in columns))
    return rows


def _row_of(case: Case, rows: Mapping[str, set[Cells]], names: Names, file: Path) -> Cells | None:
    name = names.name_among(rows, case)
    if name is None:
        return None
    where = f"{file}: image {list(rows).index(name) + 1}, counted in the order of rows"  # names stay there
    if names.ambiguous(name):
        raise ConfigError(
            f"{where}: several files of the study folder have its name; name it by its SOP instance UID"
        )
    if len(rows[name]) > 1:
        raise ConfigError(f"{where}: its rows contradict each other; leave one row for each image")
    (cells,) = rows[name]
    return cells


def _matches(cells: Cells | None, where: Where) -> bool:
    if cells is None:
        return False
    return all(cell in values for cell, values in zip(cells, where.values(), strict=True))

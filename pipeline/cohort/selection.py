"""Selection: choose images by the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotations.labels import MOST_IMAGES
from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import read_table
from pipeline.cohort.lookup import ImageLookup, Join
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.executors.single import require
from pipeline.plan import RunPlan
from pipeline.records import Case

Where = Mapping[str, Sequence[str]]
"""Column → accepted values."""
Cells = tuple[str, ...]
"""The cells of one row in the requested columns."""
Rows = Mapping[str, frozenset[Cells]]
"""Image key → distinct rows of the image."""


def chosen_cases(plan: RunPlan, cases: Sequence[Case], *, executor: Executor | None = None) -> list[Case]:
    """The cases chosen by `select`; all cases if the config has no `select`. `executor` reads the table."""
    select = plan.config.select
    if select is None:
        return list(cases)
    join = plan.config.annotations.join or "auto"
    table = plan.table(select)
    return select_cases(cases, table, image=select.image, where=select.where, join=join, executor=executor)


def select_cases(
    cases: Sequence[Case],
    file: Path,
    *,
    image: str,
    where: Where,
    join: Join = "auto",
    executor: Executor | None = None,
) -> list[Case]:
    """The images whose table row has an accepted value in every column; `cases` is the whole study set.

    The column `image` holds SOP instance UIDs, file names or paths. `executor` reads the table. Raises
    ConfigError if a name fits several files, if rows of one image contradict each other, or if no image is
    chosen.
    """
    rows = _rows(file, image, where, executor)
    names = ImageLookup(cases, rows, join=join)
    chosen = [case for case in cases if _matches(row_of(case, rows, names, file), where)]
    if not chosen:
        wanted = ", ".join(f"{column} = {' or '.join(values)}" for column, values in where.items())
        raise ConfigError(
            f"{file}: no image of the study folder has a row with {wanted}; check the image names in the "
            "table and the values in `where`"
        )
    return chosen


def group_cases(
    cases: Sequence[Case],
    file: Path,
    *,
    image: str,
    columns: Sequence[str],
    join: Join = "auto",
    executor: Executor | None = None,
) -> dict[str, dict[str, str]]:
    """Column → case id → cell, without images that have no row. Raises ConfigError as `select_cases` does."""
    rows = _rows(file, image, columns, executor)
    names = ImageLookup(cases, rows, join=join)
    found = {case.case_id: row_of(case, rows, names, file) for case in cases}
    return {
        column: {case_id: cells[position] for case_id, cells in found.items() if cells is not None}
        for position, column in enumerate(columns)
    }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A table, its image column and the columns that are wanted."""

    file: Path
    image: str
    columns: tuple[str, ...]


def _rows(file: Path, image: str, columns: Iterable[str], executor: Executor | None) -> Rows:
    wanted = _Wanted(file, image, tuple(columns))
    return require(executor or Here(), _read_rows, wanted, where=str(file))


def _read_rows(wanted: _Wanted) -> Rows:
    """Image key → distinct rows of the image; images with the same rows share them."""
    table = read_table(wanted.file)
    for column in (wanted.image, *wanted.columns):
        table.column(column)
    rows: dict[str, frozenset[Cells]] = {}
    shared: dict[frozenset[Cells], frozenset[Cells]] = {}
    for row in table.select((wanted.image, *wanted.columns)):
        key = image_key(row[wanted.image])
        found = rows.get(key, frozenset()) | {tuple(row[column] for column in wanted.columns)}
        rows[key] = shared.setdefault(found, found)
        if len(rows) > MOST_IMAGES:
            raise ConfigError(
                f"{wanted.file}: names more than {MOST_IMAGES:,} images; leave out those that are not in use"
            )
    return rows


def row_of(case: Case, rows: Rows, names: ImageLookup, file: Path) -> Cells | None:
    """The row of an image; None if it has none. Raises ConfigError if it is ambiguous."""
    found = names.names_of(case)
    if not found:
        return None
    # The message gives a number, because a name may identify a patient.
    where = f"{file}: image {list(rows).index(found[0]) + 1} in row order"
    if all(map(names.ambiguous, found)):
        raise ConfigError(
            f"{where}: several files of the study folder have this name; write its SOP instance UID instead"
        )
    different = {cells for name in found if not names.ambiguous(name) for cells in rows[name]}
    if len(different) > 1:
        raise ConfigError(f"{where}: its rows contradict each other; keep one row per image")
    return different.pop()


def _matches(cells: Cells | None, where: Where) -> bool:
    if cells is None:
        return False
    return all(cell in values for cell, values in zip(cells, where.values(), strict=True))

"""Label tables: the table with image-level labels in a folder, and which of its columns is which finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotations.box_columns import has_coordinates
from pipeline.annotations.labels import is_label
from pipeline.annotations.source_files import files_with_suffix
from pipeline.annotations.spelling import same
from pipeline.annotations.tables import Table, read_table
from pipeline.errors import ConfigError

TABLE_SUFFIXES = (".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The columns of labels in a table."""

    by_finding: Mapping[str, tuple[str, ...]]
    """Finding → its columns."""
    spelled: Mapping[str, str]
    """Column → the finding whose name it has in another spelling."""
    no_labels: tuple[str, ...] = ()
    """Columns of a finding with a cell that is no label."""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of labels that nothing but its columns told."""

    table: Table
    image: str
    """Column that names the images."""
    columns: LabelColumns


def label_tables(path: Path, findings: Sequence[str], names: Mapping[str, str | None]) -> list[LabelTable]:
    """The tables with labels in the folder `path` or next to the file `path`, most findings first."""
    found = []
    for table, image in tables_of_images(path):
        try:
            columns = label_columns(table, findings, names)
        except ConfigError:
            continue  # listed as not read
        if columns.by_finding:
            found.append(LabelTable(table, image, columns))
    return sorted(
        found,
        key=lambda entry: (
            -len(entry.columns.by_finding), "label" not in entry.table.file.name.lower(), entry.table.file
        ),
    )  # fmt: skip


def label_columns(table: Table, findings: Sequence[str], names: Mapping[str, str | None]) -> LabelColumns:
    """The columns that are called like a finding, or like a word that `names` maps to one.

    The rows of a table without such columns are not read. Raises ConfigError if those of another cannot be.
    """
    named: dict[str, tuple[str | None, str | None]] = {}
    for column in dict.fromkeys(table.columns):
        finding = names.get(column, column)
        known = finding if finding in findings else None
        guessed = same(finding, findings) if finding and known is None else None
        if known or guessed:
            named[column] = known, guessed
    no_labels = _without_labels(table, list(named))
    exact: dict[str, list[str]] = {}
    spelled: dict[str, list[str]] = {}
    for column, (known, guessed) in named.items():
        if column in no_labels:
            continue
        if known:
            exact.setdefault(known, []).append(column)
        elif guessed:
            spelled.setdefault(guessed, []).append(column)
    alone = {
        columns[0]: finding
        for finding, columns in spelled.items()
        if finding not in exact and len(columns) == 1
    }
    by_finding = exact | {finding: [column] for column, finding in alone.items()}
    order = {finding: tuple(by_finding[finding]) for finding in findings if finding in by_finding}
    return LabelColumns(order, alone, no_labels)


def _without_labels(table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns with a cell that is no label."""
    bad: set[str] = set()
    if columns:
        for row in table.select(columns):
            bad |= {column for column in columns if not is_label(row[column])}
    return tuple(column for column in columns if column in bad)


def tables_of_images(path: Path) -> Iterator[tuple[Table, str]]:
    """The tables without coordinates in the folder `path` or next to the file `path`; their image column."""
    for table in tables_in(path.parent if path.is_file() else path):
        image = table.find_image_column()
        if image is not None and not has_coordinates(table):
            yield table, image


def tables_in(path: Path) -> Iterator[Table]:
    """The tables directly in a folder, or the file itself, of which only the first rows are read."""
    for suffix in TABLE_SUFFIXES:
        for file in files_with_suffix(path, suffix):
            try:
                yield read_table(file)
            except ConfigError:
                continue  # listed as not read

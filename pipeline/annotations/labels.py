"""Labels: image-level labels from a CSV; 1 is present, 0 absent, None unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError

WORDS: Mapping[str, int | None] = {
    "1": 1, "1.0": 1, "true": 1,
    "0": 0, "0.0": 0, "false": 0,
    "": None, "-1": None, "-1.0": None, "nan": None, "na": None,
}  # fmt: skip
"""Cell in lower case → label. CheXpert writes uncertain as -1."""


def read_labels(
    file: Path, *, image: str, columns: Mapping[str, Sequence[str]]
) -> Mapping[str, Mapping[str, int | None]]:
    """SOP instance UID or file stem → finding → label; `columns` maps each finding to its columns.

    A finding with several columns is present if any is 1, and absent if all are 0. It is unknown if rows of
    the same image contradict each other. Raises ConfigError for a missing column or a cell without a label.
    """
    table = read_table(file)
    table.refuse_shared_names(table.column(image))
    for name in (name for names in columns.values() for name in names):
        table.column(name)
    found: dict[str, dict[str, set[int | None]]] = {}
    for line, row in enumerate(table.rows, start=2):
        labels = found.setdefault(image_key(row[image]), {finding: set() for finding in columns})
        for finding, names in columns.items():
            where = f"{file}, row {line}"
            labels[finding].add(_any_of({_label(row[name], f"{where}, column '{name}'") for name in names}))
    return {
        key: {finding: _agreed(rows) for finding, rows in labels.items()} for key, labels in found.items()
    }


def is_label(cell: str) -> bool:
    """Whether a cell can be read as a label."""
    return cell.lower() in WORDS


def _label(cell: str, where: str) -> int | None:
    if not is_label(cell):
        raise ConfigError(
            f"{where}: is not a label; write 1, 0, true, false or -1 (uncertain), or leave it empty"
        )
    return WORDS[cell.lower()]


def _any_of(columns: set[int | None]) -> int | None:
    if 1 in columns:
        return 1
    return 0 if columns == {0} else None


def _agreed(rows: set[int | None]) -> int | None:
    known = rows - {None}
    return known.pop() if len(known) == 1 else None

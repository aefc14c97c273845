"""Labels: image-level truth from a CSV, 1 present, 0 absent, None unknown."""

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
"""What a cell may say, in small letters. CheXpert writes uncertain as -1."""


def read_labels(
    file: Path, *, image: str, columns: Mapping[str, Sequence[str]]
) -> Mapping[str, Mapping[str, int | None]]:
    """SOP instance UID or file stem → finding → label; `columns` names those of each finding.

    Of several columns a finding is present if one says so, and absent if all do. Where rows of the same image
    contradict each other it is unknown. A column or value that is not understood is a ConfigError.
    """
    table = read_table(file)
    table.column(image)
    for name in (name for names in columns.values() for name in names):
        table.column(name)
    said: dict[str, dict[str, set[int | None]]] = {}
    for line, row in enumerate(table.rows, start=2):
        of_image = said.setdefault(image_key(row[image]), {finding: set() for finding in columns})
        for finding, names in columns.items():
            where = f"{file}, row {line}"
            of_image[finding].add(_any_of({_label(row[name], f"{where}, column '{name}'") for name in names}))
    return {key: {finding: _agreed(rows) for finding, rows in of.items()} for key, of in said.items()}


def is_label(cell: str) -> bool:
    """Whether a cell can be read as a label."""
    return cell.lower() in WORDS


def _label(cell: str, where: str) -> int | None:
    if not is_label(cell):
        raise ConfigError(f"{where}: is no label; wanted 1, 0, true, false, -1 (uncertain) or nothing")
    return WORDS[cell.lower()]


def _any_of(columns: set[int | None]) -> int | None:
    if 1 in columns:
        return 1
    return 0 if columns == {0} else None


def _agreed(rows: set[int | None]) -> int | None:
    known = rows - {None}
    return known.pop() if len(known) == 1 else None

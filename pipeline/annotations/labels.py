"""Labels: image-level labels from a CSV; 1 is present, 0 absent, None unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.annotations.source_files import image_key
from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError

WORDS: Mapping[str, int | None] = {
    "1": 1, "1.0": 1, "true": 1,
    "0": 0, "0.0": 0, "false": 0,
    "": None, "-1": None, "-1.0": None, "nan": None, "na": None,
}  # fmt: skip
"""Cell in lower case → label. CheXpert writes uncertain as -1."""
MOST_IMAGES = 1_000_000
"""Images of one table of labels, which are all kept in memory."""
CONTRADICTED = 2
"""In place of a label that rows of one image contradict; it is unknown."""
Known = int | None


class LabelSource(NamedTuple):
    """A table of labels, as the config names it."""

    file: Path
    image: str
    """Column that names the images."""
    columns: Mapping[str, Sequence[str]]
    """Finding → its columns; empty: those called like findings."""
    words: str | None = None
    """Column that lists the findings of an image, in place of a column per finding."""


class ReadLabels(NamedTuple):
    """The labels of a table."""

    by_image: Mapping[str, Mapping[str, int | None]]
    """SOP instance UID or file stem → finding → label."""
    contradicted: Mapping[str, tuple[str, ...]]
    """Image whose rows contradict each other → the findings, whose labels are then unknown."""


def read_labels(file: Path, *, image: str, columns: Mapping[str, Sequence[str]]) -> ReadLabels:
    """The labels of a table; `columns` maps each finding to its columns.

    A finding with several columns is present if any is 1, and absent if all are 0. It is unknown if rows of
    the same image contradict each other. Images with the same labels share one mapping. Raises ConfigError
    for a missing column, a cell without a label, or more than `MOST_IMAGES` images.
    """
    table = read_table(file)
    table.refuse_shared_names(table.column(image))
    used = [table.column(name) for names in columns.values() for name in names]
    found: dict[str, tuple[Known, ...]] = {}
    shared: dict[tuple[Known, ...], tuple[Known, ...]] = {}
    for line, row in table.numbered((image, *used)):
        where = f"{file}, row {line}"
        labels = tuple(
            _any_of({_label(row[name], f"{where}, column '{name}'") for name in names})
            for names in columns.values()
        )
        key = image_key(row[image])
        if key in found:
            labels = tuple(map(_agreed, found[key], labels))
        elif len(found) >= MOST_IMAGES:
            raise ConfigError(
                f"{file}: names more than {MOST_IMAGES:,} images; leave out those that are not in use"
            )
        found[key] = shared.setdefault(labels, labels)
    by_finding = {
        labels: dict(
            zip(columns, (None if label == CONTRADICTED else label for label in labels), strict=True)
        )
        for labels in shared
    }
    return ReadLabels(
        {key: by_finding[labels] for key, labels in found.items()},
        {
            key: tuple(name for name, label in zip(columns, labels, strict=True) if label == CONTRADICTED)
            for key, labels in found.items()
            if CONTRADICTED in labels
        },
    )


def is_label(cell: str) -> bool:
    """Whether a cell can be read as a label."""
    return cell.lower() in WORDS


def _label(cell: str, where: str) -> int | None:
    if not is_label(cell):
        raise ConfigError(
            f"{where}: is not a label; write 1, 0, true, false or -1 (uncertain), or leave it empty"
        )
    return WORDS[cell.lower()]


def _any_of(columns: set[Known]) -> Known:
    if 1 in columns:
        return 1
    return 0 if columns == {0} else None


def _agreed(first: Known, second: Known) -> Known:
    """The label of two rows: the one that is known, or `CONTRADICTED`."""
    if first is None or second is None:
        return second if first is None else first
    return first if first == second else CONTRADICTED

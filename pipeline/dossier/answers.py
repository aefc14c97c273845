"""Answers: sentences of a dossier, each with the file, row and columns of the run that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pipeline.dossier.material import Material


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer stands."""

    file: str
    """Name of a file of the run, or of the copy of the intended use."""
    row: tuple[tuple[str, str], ...] = ()
    """Columns of a table with the values that select its row; empty: all rows, or not a table."""
    fields: tuple[str, ...] = ()
    """Columns of the table, or dotted keys of the file."""

    @property
    def place(self) -> str:
        """The source as text: "summary.csv, row finding=benign, metric=auroc: estimate, low, high"."""
        row = ", ".join(f"{column}={value or '(empty)'}" for column, value in self.row)
        fields = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.file}, row {row}{fields}" if row else f"{self.file}{fields}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One sentence, and where it comes from."""

    text: str
    source: Source
    value: Estimate | None = None
    """The number that the sentence is about, for forms with fields for numbers."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of a table with its interval."""

    label: str
    estimate: float
    low: float | None
    high: float | None
    level: float
    """Confidence of the interval, in percent."""
    unit: str = ""
    """Unit of the number; empty for shares, AUROC, IoU and correlations."""


Find: TypeAlias = "Callable[[Material], Iterable[Answer]]"
"""Function that finds the answers to a question in a run; none: the run cannot answer it."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that forms ask for."""

    name: str
    """What is asked for; the name of the blank where nothing answers it."""
    find: Find


def of_row(file: str, row: Mapping[str, str], keys: Iterable[str], *fields: str) -> Source:
    """The source of a sentence about one row of a table, which `keys` select."""
    return Source(file, tuple((key, row[key]) for key in keys), fields)


def of_manifest(*keys: str) -> Source:
    """The source of a sentence about keys of manifest.json."""
    return Source("manifest.json", fields=keys)

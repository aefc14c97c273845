"""Cells: the kinds of text that a column of a run's tables may hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

LONGEST_CELL = 100_000
"""Characters; the longest messages have some hundred."""
WHOLE = re.compile(r"[0-9]{1,15}")
PLAIN_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,4})?|[-+]?[0-9]+\.")
SHA256 = re.compile("[0-9a-f]{64}|[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Column:
    """What the cells of a column hold."""

    wanted: str
    """The cells in words."""
    holds: Callable[[str], bool]
    """Whether a cell, without its escape of formulas, holds it."""
    required: bool = True
    """Whether the table must have the column; no reader needs the others, and older versions lack some."""
    quoted: bool = True
    """Whether messages may quote a wrong cell."""


def or_empty(column: Column) -> Column:
    """The column, whose cells may be empty."""
    return replace(
        column, wanted=f"{column.wanted}, or nothing", holds=lambda cell: not cell or column.holds(cell)
    )


def spare(column: Column) -> Column:
    """The column, which the table may lack."""
    return replace(column, required=False)


def secret(column: Column) -> Column:
    """The column, whose cells may name people and are therefore not quoted."""
    return replace(column, quoted=False)


def one_of(*words: str) -> Column:
    """Cells with one of these words."""
    names = ", ".join(word for word in words if word)
    return Column(f"{'nothing or ' if '' in words else ''}one of: {names}", frozenset(words).__contains__)


def finite(cell: str) -> bool:
    """Whether a cell is a finite number in plain digits."""
    return PLAIN_NUMBER.fullmatch(cell) is not None and isfinite(float(cell))


def _is_share(cell: str) -> bool:
    return finite(cell) and 0 <= float(cell) <= 1


TEXT = Column("a text", lambda cell: len(cell) <= LONGEST_CELL)
NAME = Column("a name", lambda cell: 0 < len(cell) <= LONGEST_CELL and "\0" not in cell)
COUNT = Column("a number, whole and not negative", lambda cell: WHOLE.fullmatch(cell) is not None)
NUMBER = Column("a number", finite)
SHARE = Column("a number from 0 to 1", _is_share)
FLAG = one_of("0", "1")
HASH = Column("a SHA-256", lambda cell: SHA256.fullmatch(cell) is not None)

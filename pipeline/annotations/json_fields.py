"""JSON fields: values of a JSON file that anybody may have written, with their types checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.annotations.shapes import Geometry, Problem
from pipeline.errors import CaseError
from pipeline.guards.json_files import read_json
from pipeline.guards.reading import guarded, named
from pipeline.records import Shape

MALFORMED = "A shape lacks a value, or has one of another type than its format; export it again."


def content_of(file: Path) -> Any:
    """The value in a JSON file. Raises ConfigError that names the file if it cannot be read."""
    with named(file):
        return read_json(file, most_values=None)


def name_in(entry: Any, key: str) -> str:
    """The text or whole number at `key`, as text. Raises CaseError "bad_entry"."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        with guarded("bad_entry", f'has a number "{key}" without end; correct it'):
            return str(value)
    raise CaseError("bad_entry", f'has no text or whole number "{key}"; add it, or export the file again')


def size_in(entry: Any, rows: str, columns: str) -> Shape | None:
    """The size at the two keys; None if they are missing, or not above 0 as where a tool did not know it."""
    found = [entry.get(key) if isinstance(entry, dict) else None for key in (rows, columns)]
    numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(found) or not all(0 < number < 2**31 for number in numbers):
        return None
    return round(numbers[0]), round(numbers[1])


def usable(shape: Callable[[], Geometry]) -> Geometry:
    """What `shape` gives, or the reason why it cannot be used."""
    try:
        with guarded("bad_shape", MALFORMED):
            return shape()
    except CaseError as error:
        return Problem(error.reason, error.message)


def usables(shapes: Callable[[], Iterable[Geometry]]) -> Sequence[Geometry]:
    """What `shapes` gives, or the reason why it cannot be used."""
    try:
        with guarded("bad_shape", MALFORMED):
            return tuple(shapes())
    except CaseError as error:
        return (Problem(error.reason, error.message),)

"""Pickle records: what a pickle says of objects, and the stack of values on which it builds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LONGEST_NAME: Final = 1000
STORAGE: Final = "storage"
"""Name of a record that stands for the numbers of a tensor, which lie beside the pickle."""
KEYS: Final = (str, int, float, bool, bytes, type(None))
"""Types of keys that are kept; hashing a tuple of tuples may exhaust the stack of C."""


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """What a pickle says of an object. `arguments` is None for a class or function itself."""

    name: str
    """Module and name of its class, or of the function that would have returned it."""
    arguments: tuple[Any, ...] | None = None
    state: Any = None
    """What would have become the object's attributes."""
    entries: dict[Any, Any] | None = None
    """What would have been set in it as in a mapping."""


@dataclass(frozen=True, slots=True)
class Pickled:
    """The content of a pickle."""

    value: Any
    names: tuple[str, ...]
    """Classes and functions that it names, without repeats."""
    calls: tuple[str, ...]
    """Those that run code when pickle itself loads the file."""
    storages: Mapping[str, Record]
    """Keys of the numbers beside the pickle, which its tensors refer to."""


@dataclass(slots=True)
class Machine:
    """The stack and the memo of a pickle that is read."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    """Places in the stack."""
    memo: dict[int, Any] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)
    storages: dict[str, Record] = field(default_factory=dict)
    copied: int = 0
    """Entries that were copied from one mapping into another."""

    def pop(self) -> Any:
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        """What was put on the stack since its last mark."""
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def named(self, module: object, name: object) -> Record:
        """The record of a class or function itself."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is not a text")
        full = f"{module}.{name}"
        if len(full) > LONGEST_NAME:
            raise ValueError("a name that is too long")
        self.names.setdefault(full)
        return Record(full)


def usable(key: object) -> Any:
    """A key of a mapping, or an empty record for one of another type."""
    return key if isinstance(key, (*KEYS, Record)) else Record("")

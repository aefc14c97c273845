"""Destination: where exported objects go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from pipeline.exports.objects import ExportedObject, LeftOut


class Destination(Protocol):
    """A folder, or a PACS. An object that is there already is stored once only."""

    def store(self, kind: str, stored: ExportedObject) -> bool:
        """Store an object; whether it is there now. Raises OutputError if nothing more can be stored."""


class Delivery(Destination, Protocol):
    """A destination that says in the end what became of the objects."""

    def close(self, left_out: Iterable[LeftOut]) -> None:
        """Write the lists of what is there, and of what is not. Raises OutputError."""

    def lines(self) -> Iterator[str]:
        """What the terminal says of it in the end."""

    @property
    def is_complete(self) -> bool:
        """Whether it took every object."""

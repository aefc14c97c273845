"""Destination: where exported objects go."""

from __future__ import annotations

from typing import Protocol

from pipeline.exports.objects import ExportedObject


class Destination(Protocol):
    """A folder, or a PACS. An object that is there already is stored once only."""

    def store(self, kind: str, stored: ExportedObject) -> None:
        """Store an object. Raises OutputError if that is impossible."""

"""Protobuf: the fields of a message by their numbers, bounded in count, without a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from pipeline.errors import CaseError

Value: TypeAlias = int | memoryview
"""A whole number, or the bytes of a text, a message, a list, or a number of fixed length."""
Fields: TypeAlias = Mapping[int, list[Value]]
"""Number of a field → its values, in their order."""
VARINT: Final = 0
LENGTH: Final = 2
FIXED: Final[Mapping[int, int]] = {1: 8, 5: 4}
"""Wire type → bytes of a number of fixed length."""
LONGEST_NUMBER: Final = 10
"""Bytes of the longest number of variable length."""


class Wire:
    """Reads messages until a number of fields in all; memory is a small multiple of it."""

    def __init__(self, *, most_fields: int) -> None:
        self._left, self._most = most_fields, most_fields

    def fields(self, message: memoryview) -> Fields:
        """The fields of a message. Raises CaseError("damaged" or "too_large")."""
        found: dict[int, list[Value]] = {}
        place = 0
        while place < len(message):
            key, place = self._number(message, place)
            number, kind = key >> 3, key & 7
            value, place = self._value(message, place, kind)
            self._count()
            found.setdefault(number, []).append(value)
        return found

    def numbers(self, values: list[Value]) -> Iterator[int]:
        """Signed whole numbers of 64 bits, of a list that may be packed."""
        for value in values:
            if isinstance(value, int):
                yield signed(value)
                continue
            place = 0
            while place < len(value):
                self._count()
                one, place = self._number(value, place)
                yield signed(one)

    def damaged(self, found: str) -> CaseError:
        """The error of a file that is not what it seems."""
        return CaseError("damaged", f"is damaged ({found}); fetch it or export it again")

    def _value(self, message: memoryview, place: int, kind: int) -> tuple[Value, int]:
        if kind == VARINT:
            return self._number(message, place)
        if kind == LENGTH:
            size, place = self._number(message, place)
        elif kind in FIXED:
            size = FIXED[kind]
        else:
            raise self.damaged("a field of an unknown kind")
        if place + size > len(message):
            raise self.damaged("it ends within a field")
        return message[place : place + size], place + size

    def _number(self, message: memoryview, place: int) -> tuple[int, int]:
        value = 0
        for index in range(LONGEST_NUMBER):
            if place + index >= len(message):
                raise self.damaged("it ends within a number")
            byte = message[place + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:  # noqa: PLR2004  the last byte of a number
                return value & (2**64 - 1), place + index + 1
        raise self.damaged("a number without an end")

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise CaseError(
                "too_large",
                f"has more than {self._most:,} fields; export it again with its weights as raw data",
            )


def signed(value: int) -> int:
    """A whole number of 64 bits with its sign."""
    return value - 2**64 if value >= 2**63 else value

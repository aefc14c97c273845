"""Messages are read field by field, within a number of fields, and damage is named."""

from __future__ import annotations

import pytest

from pipeline.errors import CaseError
from pipeline.guards.protobuf import Wire, signed
from tests.classifiers.onnx.writing import field, varint


def test_fields_are_read_by_number_in_their_order() -> None:
    message = field(1, 300) + field(2, "text") + field(1, -1) + field(3, 0.5)
    found = Wire(most_fields=10).fields(memoryview(message))
    assert [signed(value) for value in found[1] if isinstance(value, int)] == [300, -1]
    assert [bytes(value) for value in found[2] if not isinstance(value, int)] == [b"text"]
    assert [bytes(value) for value in found[3] if not isinstance(value, int)] == [b"\0\0\0\x3f"]


def test_numbers_of_a_list_may_be_packed_or_not() -> None:
    wire = Wire(most_fields=10)
    packed = memoryview(varint(1) + varint(-2) + varint(2**40))
    assert list(wire.numbers([packed, 7])) == [1, -2, 2**40, 7]


def test_too_many_fields_are_refused_before_they_are_kept() -> None:
    with pytest.raises(CaseError, match="more than 10 fields"):
        Wire(most_fields=10).fields(memoryview(field(1, 1) * 11))
    with pytest.raises(CaseError, match="more than 10 fields"):
        list(Wire(most_fields=10).numbers([memoryview(bytes(11))]))


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (b"\x08", "it ends within a number"),
        (b"\x08" + b"\xff" * 11, "a number without an end"),
        (b"\x0b", "a field of an unknown kind"),
        (b"\x0a\x05abc", "it ends within a field"),
        (b"\x0d\0\0", "it ends within a field"),
        (b"\x0a" + varint(2**63), "it ends within a field"),
    ],
)
def test_damage_is_named(message: bytes, found: str) -> None:
    with pytest.raises(CaseError, match=found) as refused:
        Wire(most_fields=10).fields(memoryview(message))
    assert refused.value.reason == "damaged"

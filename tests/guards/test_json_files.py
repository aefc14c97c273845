"""JSON is read with bounds of bytes and of values; an error says where, and quotes nothing."""

import json
import tracemalloc

import pytest

from pipeline.errors import CaseError
from pipeline.guards.json_files import parse_json


def refusal(content: bytes, most_values: int | None = 10) -> tuple[str, str]:
    with pytest.raises(CaseError) as found:
        parse_json(content, most_values=most_values)
    return found.value.reason, found.value.message


def test_values_are_counted_before_they_are_made() -> None:
    nine = b'{"a": [1, 2, 3, 4, 5, 6, 7, 8]}'
    assert parse_json(nine, most_values=11) == {"a": [1, 2, 3, 4, 5, 6, 7, 8]}
    bomb = b"[" + b"[]," * 1_000_000 + b"[]]"
    tracemalloc.start()
    assert refusal(bomb)[0] == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"Doe^Jane": }', "(line 1, column 14)"),
        (b'{"name": "\xff"}', "(byte 10)"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "infinity"),
        (b"1" * 5000, "endless number"),
        (b"[" * 100_000, "too many brackets"),
        (b"", "(line 1, column 1)"),
    ],
)
def test_an_error_says_where(content: bytes, place: str) -> None:
    reason, message = refusal(content, most_values=None)
    assert reason == "not_json"
    assert place in message
    assert "Doe" not in message


def test_a_byte_order_mark_is_no_error() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    "text", [r'["\ud800"]', "[" * 300 + "]" * 300, "[1e999, -0, -0.0, 5e-324]", "[1, 1.0]"]
)
def test_what_the_fast_parser_refuses_or_reads_is_as_python_reads_it(text: str) -> None:
    found = parse_json(text.encode(), most_values=1000)
    assert repr(found) == repr(json.loads(text)) == repr(parse_json(text.encode(), most_values=None))

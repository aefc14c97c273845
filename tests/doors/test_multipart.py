"""One file within a message in parts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from pipeline.errors import CaseError
from pipeline.pacs.multipart import boundary_of, message_of, only_part
from pipeline.pacs.patience import Transient

CONTENT = b"\r\n--\r\n\r\n--b\r\nDICM" + bytes(range(256)) * 3
MIB = 2**20


def cut(message: bytes, size: int) -> Iterator[bytes]:
    yield from (message[start : start + size] for start in range(0, len(message), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65, 66, 1000, 10**6])
def test_the_content_comes_back_however_the_message_is_cut(size: int) -> None:
    message, kind = message_of(CONTENT)
    boundary = boundary_of(kind)
    assert boundary is not None
    assert b"".join(only_part(cut(message, size), boundary)) == CONTENT


def test_a_preamble_and_an_epilogue_do_not_belong_to_the_content() -> None:
    message, kind = message_of(CONTENT)
    boundary = boundary_of(kind) or b""
    assert b"".join(only_part(cut(b"a preamble\r\n" + message + b"an epilogue", 5), boundary)) == CONTENT


def test_no_cut_of_a_message_passes_for_a_whole_one() -> None:
    message, kind = message_of(CONTENT)
    boundary = boundary_of(kind) or b""
    end = message.rindex(b"--") + 2
    for length in range(end):
        with pytest.raises(Transient):
            list(only_part(cut(message[:length], 100), boundary))


def test_a_file_far_larger_than_the_memory_for_it_is_handed_on_in_pieces() -> None:
    boundary, piece = b"b", bytes(MIB // 16)

    def message() -> Iterator[bytes]:
        yield b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        for _ in range(256 * 16):
            yield piece
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    try:
        total = sum(map(len, only_part(message(), boundary)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 256 * MIB
    assert peak < MIB


def test_headers_without_an_end_are_not_collected() -> None:
    def message() -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with pytest.raises(CaseError, match="no DICOM file in parts"):
        list(only_part(message(), b"b"))


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary="a b"', b"a b"),
        ("Multipart/Related;boundary=abc;type=application/dicom", b"abc"),
        ("application/dicom", None),
        ("", None),
    ],
)
def test_the_boundary_is_read_with_and_without_quotes(kind: str, boundary: bytes | None) -> None:
    assert boundary_of(kind) == boundary


def test_a_message_in_parts_needs_a_boundary() -> None:
    with pytest.raises(CaseError):
        boundary_of("multipart/related; type=x")

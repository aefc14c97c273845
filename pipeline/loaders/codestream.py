"""Codestream: the size that a compressed frame itself announces, before a decoder trusts the header."""

from __future__ import annotations

import struct

Extent = tuple[int, int, int]
"""(rows, columns, samples a pixel)."""

_JPEG_2000_START = b"\xff\x4f\xff\x51"
"""SOC and SIZ, ITU-T T.800, A.4.1 and A.5.1; of HTJ2K too."""
_JP2_START = b"\x00\x00\x00\x0cjP"
"""Of a whole JP2 file, which does not belong into DICOM but is found there."""
_JPEG_START = b"\xff\xd8"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""The start-of-frame markers of ITU-T T.81, B.1.1.3, and of JPEG-LS, T.87, C.1.1."""
_MARKER = 0xFF
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDB)})
"""Restarts, starts and ends, and the scan: none may come before the size."""


def announced_extent(codestream: bytes) -> Extent | None:
    """(rows, columns, samples) of a JPEG, JPEG-LS or JPEG 2000 codestream; None where it does not say.

    Raises struct.error where the codestream ends too early.
    """
    if codestream.startswith(_JPEG_START):
        return _jpeg_extent(codestream)
    start = codestream.find(_JPEG_2000_START) if codestream.startswith(_JP2_START) else 0
    if not codestream.startswith(_JPEG_2000_START, start):
        return None
    return _jpeg_2000_extent(codestream, start)


def _jpeg_2000_extent(codestream: bytes, start: int) -> Extent:
    right, bottom, left, top = struct.unpack_from(">4I", codestream, start + 8)
    (samples,) = struct.unpack_from(">H", codestream, start + 40)
    return bottom - top, right - left, samples


def _jpeg_extent(codestream: bytes) -> Extent | None:
    place = len(_JPEG_START)
    while True:
        prefix, marker, length = struct.unpack_from(">BBH", codestream, place)
        if prefix != _MARKER or marker in _WITHOUT_LENGTH:
            return None
        if marker == _MARKER:  # a fill byte
            place += 1
        elif marker in _SIZES:
            rows, columns, samples = struct.unpack_from(">HHB", codestream, place + 5)
            return (rows, columns, samples) if rows else None  # 0: the number of lines follows the scan
        else:
            place += 2 + length

"""Lossless: a small encoder of lossless JPEG, process 14 of ITU-T T.81, annex H, for known values."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

CODE_BITS = 5
"""Length of every code: 17 categories fit into 31 codes of 5 bits."""
CATEGORIES = 17


def lossless_jpeg(stored: NDArray[np.uint16], *, bits: int, predictor: int = 1) -> bytes:
    """A file of one component (rows, columns) of values below 2**bits."""
    rows, columns = stored.shape
    lengths = bytes(CATEGORIES if length == CODE_BITS else 0 for length in range(1, 17))
    table = b"\0" + lengths + bytes(range(CATEGORIES))
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xC3, struct.pack(">BHHB", bits, rows, columns, 1) + b"\1\x11\0"),
            _segment(0xC4, table),
            _segment(0xDA, b"\1\1\0" + bytes([predictor, 0, 0])),
            _packed("".join(map(_coded, _differences(stored.astype(int), bits, predictor)))),
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def _differences(values: NDArray[np.int_], bits: int, predictor: int) -> list[int]:
    """Each value less its prediction, modulo 2**16 (H.1.2.1, table H.1)."""
    found = []
    for row, column in np.ndindex(values.shape):
        left, above = values[row, column - 1], values[row - 1, column]
        corner = values[row - 1, column - 1]
        if row == 0:
            predicted = 2 ** (bits - 1) if column == 0 else left
        elif column == 0:
            predicted = above
        else:
            predicted = [
                left, above, corner, left + above - corner, left + ((above - corner) >> 1),
                above + ((left - corner) >> 1), (left + above) >> 1,
            ][predictor - 1]  # fmt: skip
        difference = int(values[row, column] - predicted) & 0xFFFF
        found.append(difference if difference <= 2**15 else difference - 2**16)
    return found


def _coded(difference: int) -> str:
    """The code of the category, and the bits within it (H.1.2.2; F.1.2.1); 2**15 has none."""
    category = abs(difference).bit_length()
    code = f"{category:0{CODE_BITS}b}"
    if category in {0, 16}:
        return code
    return code + f"{difference if difference > 0 else difference + 2**category - 1:0{category}b}"


def _packed(text: str) -> bytes:
    """Bits as bytes, padded with ones; a byte 255 is followed by 0 (F.1.2.3)."""
    text += "1" * (-len(text) % 8)
    whole = bytes(int(text[start : start + 8], 2) for start in range(0, len(text), 8))
    return whole.replace(b"\xff", b"\xff\0")

"""A PNG whose bytes have changed is refused, because Pillow would show other pixels."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CaseError
from pipeline.guards.png_files import SIGNATURE, opened_png

PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


def picture() -> bytes:
    file = BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


def pixels(path: Path, content: bytes) -> np.ndarray:
    path.write_bytes(content)
    with opened_png(path, what="The mask", reason="annotation_unreadable") as image:
        image.load()
        return np.array(image)


def test_an_intact_file_is_read_also_with_bytes_behind_it(tmp_path: Path) -> None:
    for content in (picture(), picture() + b"behind"):
        np.testing.assert_array_equal(pixels(tmp_path / "a.png", content), PIXELS)


def test_no_changed_byte_changes_a_pixel(tmp_path: Path) -> None:
    whole = picture()
    for place in range(len(whole)):
        for value in (0, 1, 0x20, 0x80, 0xFF):
            changed = whole[:place] + bytes([value]) + whole[place + 1 :]
            if changed != whole:
                with pytest.raises(CaseError, match="not a readable PNG") as refused:
                    pixels(tmp_path / "a.png", changed)
                assert refused.value.reason == "annotation_unreadable"


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    whole = picture()
    for length in range(len(whole) - 12):  # behind the pixels lies only the end mark
        with pytest.raises(CaseError):
            pixels(tmp_path / "a.png", whole[:length])


def test_a_bomb_is_not_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0))
    bomb = SIGNATURE + head + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    with pytest.raises(CaseError, match="not a readable PNG"):
        pixels(tmp_path / "a.png", bomb)

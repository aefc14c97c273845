"""EXIF: how a picture is to be turned to be shown, from EXIF data wherever the file keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from PIL import Image as Pillow

from pipeline.errors import CaseError
from pipeline.guards.png_files import AS_STORED, CHECKSUM_BYTES, HEAD, ORIENTATION, SIGNATURE
from pipeline.guards.reading import guarded
from pipeline.loaders.codestream import segments

TRANSPOSED: Final = 5
"""The lowest value of the tag that exchanges rows and columns."""
HIGHEST: Final = 8
BEGIN: Final = b"Exif\0\0"
"""What begins the segment of EXIF data in a JPEG file (EXIF 2.3, 4.7.2)."""
APP1: Final = 0xE1
MOST_CHUNKS: Final = 2**20


def orientation_of(tags: Callable[[], Mapping[int, object]]) -> int:
    """1 … 8 of the tag Orientation among those that are read; 1 if it is absent or they are unreadable."""
    try:
        with guarded("unreadable", "the EXIF data cannot be read"):
            found = tags().get(ORIENTATION, AS_STORED)
    except CaseError:
        return AS_STORED
    return found if isinstance(found, int) and AS_STORED <= found <= HIGHEST else AS_STORED


def tags_of(exif: bytes) -> Pillow.Exif:
    """The tags of EXIF data. Raises whatever Pillow raises."""
    found = Pillow.Exif()
    found.load(exif)
    return found


def exif_of_png(file: BinaryIO) -> bytes:
    """The chunk eXIf of a PNG file, before or behind its pixels (PNG 3, 11.3.4.6); empty without one.

    The position in the file stays as it is. Raises ValueError for more than `MOST_CHUNKS` chunks.
    """
    before = file.tell()
    try:
        place = len(SIGNATURE)
        for _ in range(MOST_CHUNKS):
            file.seek(place)
            head = file.read(HEAD.size)
            if len(head) < HEAD.size:
                return b""
            length, kind = HEAD.unpack(head)
            if kind == b"eXIf":
                return file.read(length)
            if kind == b"IEND":
                return b""
            place += HEAD.size + length + CHECKSUM_BYTES
        raise ValueError("the file has too many chunks")
    finally:
        file.seek(before, os.SEEK_SET)


def exif_of_jpeg(content: bytes) -> bytes:
    """The EXIF data of a JPEG file; empty without any. Raises struct.error if a segment is cut."""
    for marker, offset, length in segments(content, len(b"\xff\xd8")):
        data = content[offset + 4 : offset + 2 + length]
        if marker == APP1 and data.startswith(BEGIN):
            return data
    return b""

"""PNG files: opened with their checksums compared, which Pillow leaves out for pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from pipeline.errors import CaseError
from pipeline.guards.reading import guarded, read_file

LARGEST_BYTES: Final = 2**29
"""Upper limit for a file; Pillow refuses pictures of more than 179 million pixels."""
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
HEAD: Final = struct.Struct(">I4s")
"""Length and type of a chunk; its data and a checksum of 4 bytes follow."""
CHECKSUM_BYTES: Final = 4
ORIENTATION: Final = 274
"""EXIF: how the picture is to be turned (CIPA DC-008, 4.6.4)."""
AS_STORED: Final = 1
"""Value of the tag for a picture whose first row is its top."""


@contextmanager
def opened_png(path: Path, *, what: str, reason: str) -> Iterator[Image.Image]:
    """The picture, not yet decoded; whatever is raised inside the block is CaseError(reason).

    Raises CaseError "unreadable", "not_a_file" or "too_large" for what is not a file that can be read.
    """
    with png_in(read_file(path, most_bytes=LARGEST_BYTES, what=what), what=what, reason=reason) as picture:
        yield picture


@contextmanager
def png_in(content: bytes, *, what: str, reason: str) -> Iterator[Image.Image]:
    """`opened_png` of a file's bytes."""
    with guarded(reason, f"{what} is not a readable PNG file; save it again as PNG."):
        if not is_intact(content):
            raise ValueError("a chunk is damaged or incomplete")
        with Image.open(BytesIO(content), formats=["PNG"]) as picture:
            yield picture


def refuse_turned(picture: Image.Image, *, what: str, reason: str) -> None:
    """Raise CaseError(reason) if EXIF data turn a picture, whose pixels are loaded.

    Programs differ in whether they follow them, so that it is unknown how the picture is meant to lie.
    """
    if picture.getexif().get(ORIENTATION, AS_STORED) != AS_STORED:
        raise CaseError(
            reason, f"{what}'s EXIF data turn it; save it as it is to be read, without EXIF data."
        )


def is_intact(content: bytes) -> bool:
    """Whether the chunks up to the end of the picture are complete and have their checksums."""
    if not content.startswith(SIGNATURE):
        return False
    place = len(SIGNATURE)
    while place < len(content):
        if place + HEAD.size > len(content):
            return False
        length, kind = HEAD.unpack_from(content, place)
        end = place + HEAD.size + length
        checksum = content[end : end + CHECKSUM_BYTES]
        if zlib.crc32(memoryview(content)[place + CHECKSUM_BYTES : end]).to_bytes(4, "big") != checksum:
            return False
        if kind == b"IEND":
            break
        place = end + CHECKSUM_BYTES
    return True

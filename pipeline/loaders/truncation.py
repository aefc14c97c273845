"""Truncation: detect missing pixel data without decoding, from lengths and fragments."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import CaseError
from pipeline.guards.deflate import LARGEST_INFLATED_BYTES

UNDEFINED_LENGTH = 0xFFFFFFFF
"""Length of encapsulated pixel data, which end with a delimiter. PS3.5, A.4."""
ITEM, DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
ITEM_HEAD = 8
"""Bytes of an item's tag and length, the smallest size of a fragment."""
MOST_ITEMS = 2**18
"""Largest number of items that are counted, because each costs a read."""
MOST_INFLATED = 1032
"""Bytes to which one byte can inflate at most."""


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Position of the pixel data element, found while parsing the file."""

    tag: int
    """Tag of the element, for example 0x7FE00010."""
    begin: int
    """Offset of its value in the file; for a deflated data set, the size of the file."""
    length: int
    """Length of its value as stated in the file."""


@dataclass(frozen=True, slots=True)
class AvailablePixels:
    """The pixel data that a file actually contains."""

    tag: int
    """Tag of the element, for example 0x7FE00010."""
    most_bytes: int
    """Upper limit of the bytes of pixel data in the file, never more than the stated length."""
    fragments: int | None
    """Number of fragments without the offset table; None if the pixel data are not encapsulated."""
    complete: bool
    """Whether the element ends within the file."""


def available_pixels(file: BinaryIO, element: PixelElement, *, deflated: bool) -> AvailablePixels:
    """The part of the element that the file contains; for a deflated file, an estimate from its size."""
    size = file.seek(0, os.SEEK_END)
    most = min(MOST_INFLATED * size, LARGEST_INFLATED_BYTES) if deflated else max(0, size - element.begin)
    if element.length != UNDEFINED_LENGTH:
        return AvailablePixels(element.tag, min(element.length, most), None, element.length <= most)
    fragments, complete = (None, False) if deflated else _fragments(file, element.begin, size)
    return AvailablePixels(element.tag, most, fragments, complete)


def refuse_frames_without_pixels(
    available: AvailablePixels, *, encapsulated: bool, frames: int, needed_bytes: int
) -> None:
    """Raise CaseError if a multi-frame file cannot contain all frames that it announces.

    Without this check, each announced frame would be skipped on its own. The reason is "decode_failed" for
    truncated fragments, which no decoder accepts, else "pixel_data_mismatch".
    """
    if frames == 1:
        return
    if available.fragments is not None and not available.complete:
        raise CaseError("decode_failed", "the file ends within its pixel data; export it again")
    most_frames = available.most_bytes // ITEM_HEAD if available.fragments is None else available.fragments
    if frames > most_frames if encapsulated else available.most_bytes < needed_bytes:
        message = "Number of Frames is larger than the pixel data allow; export the file again"
        raise CaseError("pixel_data_mismatch", message)


def is_complete(available: AvailablePixels, *, encapsulated: bool, frames: int, needed_bytes: int) -> bool:
    """Whether the file contains all announced pixel data, as far as can be seen without decoding."""
    if not encapsulated:
        return available.complete and available.most_bytes >= needed_bytes
    return available.complete and (available.fragments is None or available.fragments >= frames)


def native_bytes(*, pixels: int, samples: int, bits: int, photometric: str) -> int:
    """Bytes of uncompressed pixel data without padding; chroma may be subsampled. PS3.3, C.7.6.3.1.2.

    Missing samples or bits (0) count as one.
    """
    total = pixels * max(1, samples) * max(1, bits)
    if photometric in {"YBR_FULL_422", "YBR_PARTIAL_422"}:
        total = total * 2 // 3
    elif photometric == "YBR_PARTIAL_420":
        total //= 2
    return -(-total // 8)


def _fragments(file: BinaryIO, begin: int, size: int) -> tuple[int, bool]:
    """Number of fragments after the offset table, and whether their sequence ends within the file."""
    offset = begin
    for items in range(MOST_ITEMS):
        file.seek(offset)
        head = file.read(ITEM_HEAD)
        if len(head) < ITEM_HEAD:
            break
        *tag, length = struct.unpack("<HHI", head)
        if tuple(tag) == DELIMITER:
            return max(0, items - 1), True
        offset += ITEM_HEAD + length
        if tuple(tag) != ITEM or offset > size:
            break
    return max(0, items - 1), False

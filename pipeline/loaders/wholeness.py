"""Wholeness: how much of the pixel data that a header announces a file holds, told without decoding them."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import CaseError
from pipeline.inflation import LARGEST_INFLATED_BYTES

UNDEFINED_LENGTH = 0xFFFFFFFF
"""Of pixel data in fragments, which end with a delimiter. PS3.5, A.4."""
ITEM, DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
ITEM_HEAD = 8
"""Bytes of an item's tag and length: the least that a fragment takes."""
MOST_ITEMS = 2**18
"""That are counted: each costs a read."""
MOST_INFLATED = 1032
"""Bytes to which one byte can inflate."""


@dataclass(frozen=True, slots=True)
class PixelElement:
    """The pixel data's element, as found while its file was parsed."""

    tag: int
    begin: int
    """Where its value begins in the file; of a deflated data set, the file's end."""
    length: int
    """As written."""


@dataclass(frozen=True, slots=True)
class HeldPixels:
    """What of the pixel data is in the file."""

    tag: int
    bytes_held: int
    """At most; never more than are announced."""
    fragments: int | None
    """Without the offset table; None where the pixel data are one value."""
    complete: bool
    """Whether the element ends within the file."""


def held_pixels(file: BinaryIO, element: PixelElement, *, deflated: bool) -> HeldPixels:
    """How much of the element the file holds, of a deflated one by how far its bytes could inflate."""
    size = file.seek(0, os.SEEK_END)
    room = min(MOST_INFLATED * size, LARGEST_INFLATED_BYTES) if deflated else max(0, size - element.begin)
    if element.length != UNDEFINED_LENGTH:
        return HeldPixels(element.tag, min(element.length, room), None, element.length <= room)
    fragments, complete = (None, False) if deflated else _fragments(file, element.begin, size)
    return HeldPixels(element.tag, room, fragments, complete)


def refuse_frames_without_pixels(
    held: HeldPixels, *, encapsulated: bool, frames: int, needed_bytes: int
) -> None:
    """Raises CaseError where none of a file's frames, or not as many as it announces, could be decoded.

    Each would be an image of its own, to be set aside for the same reason: "decode_failed" for fragments that
    break off, which no decoder takes up, else "pixel_data_mismatch".
    """
    if frames == 1:
        return
    if held.fragments is not None and not held.complete:
        raise CaseError("decode_failed", "the file ends within its pixel data; export it again")
    most = held.bytes_held // ITEM_HEAD if held.fragments is None else held.fragments
    if frames > most if encapsulated else held.bytes_held < needed_bytes:
        message = "Number of Frames announces more frames than the pixel data hold; export the file again"
        raise CaseError("pixel_data_mismatch", message)


def is_whole(held: HeldPixels, *, encapsulated: bool, frames: int, needed_bytes: int) -> bool:
    """Whether the file holds all that it announces, as far as can be told without decoding."""
    if not encapsulated:
        return held.complete and held.bytes_held >= needed_bytes
    return held.complete and (held.fragments is None or held.fragments >= frames)


def native_bytes(*, pixels: int, samples: int, bits: int, photometric: str) -> int:
    """Of pixels stored as they are, padding aside; chroma may be stored for every second. PS3.3, C.7.6.3.1.2.

    Samples and bits that the header leaves out count as one.
    """
    total = pixels * max(1, samples) * max(1, bits)
    if photometric in {"YBR_FULL_422", "YBR_PARTIAL_422"}:
        total = total * 2 // 3
    elif photometric == "YBR_PARTIAL_420":
        total //= 2
    return -(-total // 8)


def _fragments(file: BinaryIO, begin: int, size: int) -> tuple[int, bool]:
    """How many fragments follow the offset table, and whether their sequence ends within the file."""
    place = begin
    for items in range(MOST_ITEMS):
        file.seek(place)
        head = file.read(ITEM_HEAD)
        if len(head) < ITEM_HEAD:
            break
        *tag, length = struct.unpack("<HHI", head)
        if tuple(tag) == DELIMITER:
            return max(0, items - 1), True
        place += ITEM_HEAD + length
        if tuple(tag) != ITEM or place > size:
            break
    return max(0, items - 1), False

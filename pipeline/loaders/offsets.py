"""Offsets: where each frame of encapsulated pixel data begins, found once for all frames of a file."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.encaps import parse_basic_offsets, parse_fragments
from pydicom.uid import UID

PIXEL_DATA, TABLE, TABLE_OF_LENGTHS = 0x7FE00010, 0x7FE00001, 0x7FE00002
LENGTH = struct.Struct("<I")
"""Of an item, after its tag of 4 bytes. PS3.5, 7.5."""


def pixel_bytes(dataset: Dataset) -> bytes:
    """The value of the pixel data element; empty if it is not bytes."""
    element = dataset.get_item(PIXEL_DATA)
    value = None if element is None else element.value
    return value if isinstance(value, bytes) else b""


def add_offsets(dataset: Dataset, frames: int) -> None:
    """Give encapsulated pixel data without a table of offsets one, if each frame is one fragment.

    PS3.5, A.4, and PS3.3, C.7.6.3.1.8. Without a table, the fragments are counted again for each frame.
    """
    encapsulated = UID(dataset.file_meta.TransferSyntaxUID).is_encapsulated
    if encapsulated and TABLE not in dataset and TABLE_OF_LENGTHS not in dataset:
        with suppress(ValueError, struct.error):  # damaged pixel data: decoding says how
            _add_found(dataset, pixel_bytes(dataset), frames)


def _add_found(dataset: Dataset, pixels: bytes, frames: int) -> None:
    buffer = BytesIO(pixels)
    table, begin = parse_basic_offsets(buffer), buffer.tell()
    places = [] if table else parse_fragments(buffer)[1]
    if len(places) == frames:
        lengths = (LENGTH.unpack_from(pixels, place + 4)[0] for place in places)
        dataset.ExtendedOffsetTable = struct.pack(f"<{frames}Q", *(place - begin for place in places))
        dataset.ExtendedOffsetTableLengths = struct.pack(f"<{frames}Q", *lengths)

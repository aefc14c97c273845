"""Inflation: how large a deflated DICOM data set would become, told without keeping it. PS3.5, A.5."""

from __future__ import annotations

import struct
from typing import BinaryIO

from isal import isal_zlib

from pipeline.errors import CaseError

LARGEST_INFLATED_BYTES = 2**29
"""Of a deflated data set, which is one image or few: what inflates to more is made to fill a memory."""
DEFLATED = b"1.2.840.10008.1.2.1.99"
META_BEGIN = 144
"""Where the file meta group goes on after its length, PS3.10, 7.1."""
META_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
LARGEST_META_BYTES = 4096
READ_AT_ONCE = 2**16
"""A byte inflates to 1032 at most."""


def refuse_inflation(file: BinaryIO) -> None:
    """Raises CaseError "too_large" where a deflated data set grows too large, or "unreadable"."""
    file.seek(0)
    head = file.read(META_BEGIN + LARGEST_META_BYTES)
    if DEFLATED not in head:
        return
    tag_and_length, meta_bytes = struct.unpack("<8sI", head[132:META_BEGIN])
    if tag_and_length != META_GROUP_LENGTH:
        raise CaseError(
            "unreadable", "the data set is deflated and the length of its file meta group is absent"
        )
    file.seek(META_BEGIN + meta_bytes)
    inflater, size = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS), 0
    for chunk in iter(lambda: file.read(READ_AT_ONCE), b""):
        size += len(inflater.decompress(chunk))
        if size > LARGEST_INFLATED_BYTES:
            message = f"the data set inflates to more than {LARGEST_INFLATED_BYTES >> 20} MiB"
            raise CaseError("too_large", message)

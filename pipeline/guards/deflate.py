"""Deflate: inflate within bounds; for DICOM data sets, measure the size without storing it. PS3.5, A.5."""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

from isal import isal_zlib

from pipeline.errors import CaseError
from pipeline.guards.reading import guarded

LARGEST_INFLATED_BYTES = 2**29
"""Upper limit for a deflated data set of one or a few images; a larger one is a decompression bomb."""
DEFLATED = b"1.2.840.10008.1.2.1.99"
PREFIX = slice(128, 132)
"""Position of "DICM", PS3.10, 7.1."""
META_GROUP = 2
MOST_META_ELEMENTS = 4096
TAG_AND_LENGTH, LONG_LENGTH = struct.Struct("<HH2sH"), struct.Struct("<I")
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Value representations with a length field of 2 bytes (SHORT) and of 4 bytes (LONG). PS3.5, 7.1.2."""
GZIP = zlib.MAX_WBITS | 16
"""Window of a gzip stream (RFC 1952)."""
UNDEFINED_LENGTH = 0xFFFFFFFF
READ_AT_ONCE = 2**16
"""Bytes; one byte inflates to 1032 bytes at most."""


def refuse_decompression_bomb(file: BinaryIO) -> None:
    """Raise CaseError "too_large" if a deflated data set inflates beyond the limit, or "unreadable".

    pydicom finds the transfer syntax anywhere in the file meta group and inflates what follows the group,
    whatever length the group declares. The check therefore follows the elements, not the declared length.
    """
    start = _end_of_meta(file)
    if not _names_deflation(file, start):
        return
    if start is None:
        raise CaseError(
            "unreadable",
            "the data set is deflated and its file meta group is malformed; export the file again",
        )
    file.seek(start)
    inflater, size = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS), 0
    for chunk in iter(lambda: file.read(READ_AT_ONCE), b""):
        size += len(inflater.decompress(chunk))
        if size > LARGEST_INFLATED_BYTES:
            raise CaseError(
                "too_large",
                f"the data set inflates to more than {LARGEST_INFLATED_BYTES >> 20} MiB; "
                "export it again without deflation",
            )


def inflated(data: bytes, *, most_bytes: int, what: str, window: int = zlib.MAX_WBITS) -> bytes:
    """The content of a zlib stream. Raises CaseError "too_large", or "unreadable" if it is not whole.

    `window`: as `zlib.decompressobj` takes it; `GZIP` for a file of gzip.
    """
    inflater = zlib.decompressobj(window)
    with guarded(
        "unreadable", f"{what} is not a {'gzip' if window == GZIP else 'zlib'} stream; export it again."
    ):
        content = inflater.decompress(data, most_bytes + 1)
        if len(content) > most_bytes:
            raise CaseError(
                "too_large", f"{what} inflates to more than {most_bytes >> 20} MiB; leave it out."
            )
        if not inflater.eof:
            raise ValueError("the stream is cut short")
    return content


def _end_of_meta(file: BinaryIO) -> int | None:
    """Offset of the first element after the file meta group; None if the group is malformed."""
    file.seek(0)
    offset = PREFIX.stop if file.read(PREFIX.stop)[PREFIX] == b"DICM" else 0
    for _ in range(MOST_META_ELEMENTS):
        file.seek(offset)
        head = file.read(TAG_AND_LENGTH.size)
        if len(head) < TAG_AND_LENGTH.size:
            return offset
        group, _, representation, length = TAG_AND_LENGTH.unpack(head)
        if group != META_GROUP:
            return offset
        offset += TAG_AND_LENGTH.size
        if representation in LONG:
            (length,) = LONG_LENGTH.unpack(file.read(LONG_LENGTH.size).ljust(LONG_LENGTH.size, b"\0"))
            offset += LONG_LENGTH.size
        elif representation not in SHORT:
            return None
        if length == UNDEFINED_LENGTH:
            return None
        offset += length
    return None


def _names_deflation(file: BinaryIO, end: int | None) -> bool:
    """Whether the UID of the deflated transfer syntax occurs before `end`; None means the end of the file."""
    file.seek(0)
    overlap, remaining = b"", end
    while remaining is None or remaining > 0:
        chunk = file.read(READ_AT_ONCE if remaining is None else min(remaining, READ_AT_ONCE))
        if DEFLATED in overlap + chunk:
            return True
        if not chunk:
            return False
        overlap = chunk[-len(DEFLATED) :]
        remaining = None if remaining is None else remaining - len(chunk)
    return False

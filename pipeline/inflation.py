"""Inflation: how large a deflated DICOM data set would become, told without keeping it. PS3.5, A.5."""

from __future__ import annotations

import struct
from typing import BinaryIO

from isal import isal_zlib

from pipeline.errors import CaseError

LARGEST_INFLATED_BYTES = 2**29
"""Of a deflated data set, which is one image or few: what inflates to more is made to fill a memory."""
DEFLATED = b"1.2.840.10008.1.2.1.99"
PREFIX = slice(128, 132)
"""Where "DICM" stands, PS3.10, 7.1."""
META_GROUP = 2
MOST_META_ELEMENTS = 4096
TAG_AND_LENGTH, LONG_LENGTH = struct.Struct("<HH2sH"), struct.Struct("<I")
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Value representations whose length takes 2 bytes, and those where it takes 4. PS3.5, 7.1.2."""
UNDEFINED_LENGTH = 0xFFFFFFFF
READ_AT_ONCE = 2**16
"""A byte inflates to 1032 at most."""


def refuse_inflation(file: BinaryIO) -> None:
    """Raises CaseError "too_large" where a deflated data set grows too large, or "unreadable".

    A reader goes by the transfer syntax wherever it stands in the file meta group, and inflates what follows
    the group, whatever length the group claims.
    """
    begin = _end_of_meta(file)
    if not _names_deflation(file, begin):
        return
    if begin is None:
        raise CaseError("unreadable", "the data set is deflated and its file meta group cannot be followed")
    file.seek(begin)
    inflater, size = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS), 0
    for chunk in iter(lambda: file.read(READ_AT_ONCE), b""):
        size += len(inflater.decompress(chunk))
        if size > LARGEST_INFLATED_BYTES:
            message = f"the data set inflates to more than {LARGEST_INFLATED_BYTES >> 20} MiB"
            raise CaseError("too_large", message)


def _end_of_meta(file: BinaryIO) -> int | None:
    """Where the first element after the file meta group begins; None where the group cannot be followed."""
    file.seek(0)
    place = PREFIX.stop if file.read(PREFIX.stop)[PREFIX] == b"DICM" else 0
    for _ in range(MOST_META_ELEMENTS):
        file.seek(place)
        head = file.read(TAG_AND_LENGTH.size)
        if len(head) < TAG_AND_LENGTH.size:
            return place
        group, _, representation, length = TAG_AND_LENGTH.unpack(head)
        if group != META_GROUP:
            return place
        place += TAG_AND_LENGTH.size
        if representation in LONG:
            (length,) = LONG_LENGTH.unpack(file.read(LONG_LENGTH.size).ljust(LONG_LENGTH.size, b"\0"))
            place += LONG_LENGTH.size
        elif representation not in SHORT:
            return None
        if length == UNDEFINED_LENGTH:
            return None
        place += length
    return None


def _names_deflation(file: BinaryIO, end: int | None) -> bool:
    """Whether the deflated transfer syntax stands anywhere before `end`; None is the end of the file."""
    file.seek(0)
    kept, left = b"", end
    while left is None or left > 0:
        chunk = file.read(READ_AT_ONCE if left is None else min(left, READ_AT_ONCE))
        if DEFLATED in kept + chunk:
            return True
        if not chunk:
            return False
        kept = chunk[-len(DEFLATED) :]
        left = None if left is None else left - len(chunk)
    return False

"""Places: start and end of elements in a DICOM file, from a parser independent of pydicom."""

from __future__ import annotations

import struct
from dataclasses import dataclass

LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
"""Value representations with a four-byte length, PS3.5, 7.1.2."""
UNDEFINED = 0xFFFFFFFF
META_END = 132
ITEM = 0xFFFE


@dataclass(frozen=True, slots=True)
class Place:
    """Offsets of the parts of one element of an explicit little endian file."""

    tag: int
    vr: int
    length: int
    length_bytes: int
    value: int
    end: int


def places(data: bytes) -> list[Place]:
    """All elements at the top level and in items, as far as they can be parsed."""
    found: list[Place] = []
    at = META_END
    while at + 8 <= len(data):
        group, _, vr = struct.unpack_from("<HH2s", data, at)
        if group == ITEM:
            at += 8
            continue
        if vr in LONG:
            (length,) = struct.unpack_from("<I", data, at + 8)
            place = Place(at, at + 4, at + 8, 4, at + 12, at + 12 + length)
        else:
            (length,) = struct.unpack_from("<H", data, at + 6)
            place = Place(at, at + 4, at + 6, 2, at + 8, at + 8 + length)
        found.append(place)
        enters = vr == b"SQ" or length == UNDEFINED
        at = place.value if enters else place.end
    return found


def boundaries(data: bytes) -> list[int]:
    """Every offset at which a part of the file begins, those of its preamble included."""
    ends = {0, 1, 127, 128, 130, META_END, len(data) - 1}
    for place in places(data):
        ends |= {place.tag, place.tag + 2, place.vr, place.vr + 1, place.length, place.value, place.end}
        ends |= {place.value + 1, place.end - 1}
    return sorted(end for end in ends if 0 <= end < len(data))

"""Torn: damage to the bytes of a file, regardless of their meaning."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from tests.damage.places import LONG, boundaries, places
from tests.damage.sound import PLAIN, sound_files

REPRESENTATIONS = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"OB", b"OD", b"OF",
    b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"TM", b"UI", b"UL", b"UN", b"US", b"UT", b"??", b"\0\0",
]  # fmt: skip
LENGTHS = (0, 1, 3, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0xFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def cut_at_a_boundary(random: Random, path: Path) -> None:
    """Of the plain file every boundary in turn would do; of many files each comes often."""
    data = any_file(random)
    path.write_bytes(data[: random.choice(boundaries(data))])


def cut_anywhere(random: Random, path: Path) -> None:
    data = any_file(random)
    path.write_bytes(data[: random.randrange(len(data))])


def flipped_bits_in_the_header(random: Random, path: Path) -> None:
    data = bytearray(any_file(random))
    for _ in range(random.choice((1, 2, 8, 32))):
        data[random.randrange(132, min(len(data), 1400))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def flipped_bits_anywhere(random: Random, path: Path) -> None:
    data = bytearray(any_file(random))
    for _ in range(random.choice((1, 4, 16, 64, 256))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def wrong_value_representation(random: Random, path: Path) -> None:
    data = bytearray(sound_files()[PLAIN])
    for place in random.sample(places(bytes(data)), random.choice((1, 1, 3))):
        data[place.vr : place.vr + 2] = random.choice(REPRESENTATIONS)
    path.write_bytes(data)


def wrong_length(random: Random, path: Path) -> None:
    data = bytearray(sound_files()[random.choice((PLAIN, "colour", "frames", "rle", "jpeg_2000"))])
    place = random.choice(places(bytes(data)))
    length = random.choice(LENGTHS)
    form = "<I" if place.length_bytes == 4 else "<H"
    struct.pack_into(form, data, place.length, length & (2 ** (8 * place.length_bytes) - 1))
    path.write_bytes(data)


def undefined_length(random: Random, path: Path) -> None:
    """Set an undefined length on an element without delimiter, including sequences and pixel data."""
    data = bytearray(sound_files()[random.choice((PLAIN, "signed", "palette"))])
    place = random.choice([p for p in places(bytes(data)) if bytes(data[p.vr : p.vr + 2]) in LONG])
    data[place.length : place.length + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)


def spliced(random: Random, path: Path) -> None:
    """The start of one file and the end of another, or a part of a file repeated or omitted."""
    first, second = any_file(random), any_file(random)
    start, end = sorted((random.randrange(len(first)), random.randrange(len(first))))
    ways = (
        first[:start] + second[random.randrange(len(second)) :],
        first[:end] + first[start:],
        first[:start] + first[end:],
    )
    path.write_bytes(random.choice(ways))


def without_preamble(random: Random, path: Path) -> None:
    data = any_file(random)
    path.write_bytes(data[random.choice((1, 127, 128, 132, 144)) :])


def any_file(random: Random) -> bytes:
    """An intact file."""
    return random.choice(list(sound_files().values()))


KINDS: Mapping[str, Callable[[Random, Path], None]] = {
    kind.__name__: kind
    for kind in (
        cut_at_a_boundary,
        cut_anywhere,
        flipped_bits_in_the_header,
        flipped_bits_anywhere,
        wrong_value_representation,
        wrong_length,
        undefined_length,
        spliced,
        without_preamble,
    )
}

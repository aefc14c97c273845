"""PNG: chunks, their lengths, checksums and order, and the fields of the first one."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from random import Random

import numpy as np
from PIL import Image

from tests.damage.blunt import BLUNT, named

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Chunk = tuple[bytes, bytes]
SIDES = (0, 1, 2, 5, 6, 255, 30000, 60000, 2**31 - 1, 2**31, 2**32 - 1)
FIELDS = {"width": (0, "I", SIDES), "height": (4, "I", SIDES), "depth": (8, "B", (0, 1, 2, 3, 4, 8, 16,
    32, 255)),
    "colour": (9, "B", (0, 1, 2, 3, 4, 5, 6, 7, 255)), "packing": (10, "B", (1, 255)), "filter": (11, "B",
    (1, 255)),
    "interlace": (12, "B", (1, 2, 255))}  # fmt: skip
"""Field of IHDR → offset, struct code and values."""


@cache
def sound_png(mode: str = "I;16") -> bytes:
    """A grey picture of 5 × 6 (width × height) pixels; "mask": with values 0 and 1."""
    if mode == "mask":
        array = np.zeros((6, 5), np.uint8)
        array[1:4, 1:4] = 1
    else:
        array = (np.linspace(0, 1, 30).reshape(6, 5) * 60000).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def chunks(data: bytes) -> list[Chunk]:
    """Type and content of each chunk."""
    found, at = [], len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        found.append((name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def picture(parts: Iterable[Chunk]) -> bytes:
    """The file of these chunks, with their true lengths and checksums."""
    return SIGNATURE + b"".join(
        struct.pack(">I4s", len(content), name) + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )


def first_chunk(random: Random, data: bytes) -> bytes:
    """A field of IHDR, with a checksum that fits."""
    (name, head), *others = chunks(data)
    changed = bytearray(head)
    for field in random.sample(list(FIELDS), random.choice((1, 1, 2))):
        offset, form, values = FIELDS[field]
        struct.pack_into(f">{form}", changed, offset, random.choice(values))
    size = random.choice((len(changed), len(changed), len(changed), 0, 12, 14))
    return picture([(name, bytes(changed).ljust(size, b"\0")[:size]), *others])


def chunk_order(random: Random, data: bytes) -> bytes:
    """Chunks left out, repeated, exchanged or renamed."""
    parts = chunks(data)
    place = random.randrange(len(parts))
    name, content = parts[place]
    way = random.choice(("without", "again", "often", "reversed", "renamed", "emptied", "case"))
    names = (b"\0\0\0\0", b"IHDR", b"IDAT", b"IEND", b"zzzz", b"\xff" * 4, b"PLTE")
    changed = {
        "without": [],
        "again": [(name, content)] * 2,
        "often": [(name, content)] * 3000,
        "renamed": [(random.choice(names), content)],
        "emptied": [(name, b"")],
        "case": [(name.swapcase(), content)],
    }.get(way, [(name, content)])
    parts[place : place + 1] = changed
    return picture(reversed(parts) if way == "reversed" else parts)


def length_or_checksum(random: Random, data: bytes) -> bytes:
    changed, at, places = bytearray(data), len(SIGNATURE), []
    for _, content in chunks(data):
        places += [at, at + 8 + len(content)]
        at += 12 + len(content)
    value = random.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, random.getrandbits(32)))
    struct.pack_into(">I", changed, random.choice(places), value)
    return bytes(changed)


def more_chunks(random: Random, data: bytes) -> bytes:
    """Chunks of text, colour, transparency, animation and position with odd content."""
    head, *others = chunks(data)
    packed = zlib.compress(bytes(random.choice((9, 2**26))))
    odd = (
        b"",
        b"\0",
        b"\xff" * 99,
        b"k\0\0" + packed,
        b"k\0" + packed,
        b"k\0\1\0\0\0" + packed,
        bytes(6),
        bytes(800),
    )
    names = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"PLTE", b"tRNS", b"gAMA", b"pHYs", b"sRGB", b"cHRM",
        b"eXIf",
             b"acTL", b"fcTL", b"fdAT", b"tIME", b"sBIT", b"bKGD", b"hIST", b"sPLT", b"cICP")  # fmt: skip
    added = [(random.choice(names), random.choice(odd)) for _ in range(random.choice((1, 1, 3)))]
    return picture(
        [head, *added, *others] if random.random() < 0.7 else [head, *others[:-1], *added, others[-1]]
    )


def rotten_pixels(random: Random, data: bytes) -> bytes:
    """Pixels whose deflate stream is damaged, short, long or split, and rows with unknown filters."""
    parts = dict(chunks(data))
    raw = bytearray(zlib.decompress(parts[b"IDAT"]))
    way = random.choice(("stream", "short", "long", "filter", "split", "plain"))
    if way == "filter":
        raw[0] = random.choice((5, 255))
    packed = bytearray(
        zlib.compress(bytes(raw[:9] if way == "short" else raw + bytes(9999 * (way == "long"))))
    )
    if way == "stream":
        packed[random.randrange(len(packed))] ^= 1 << random.randrange(8)
    stream = bytes(raw) if way == "plain" else bytes(packed)
    pieces = [stream[n : n + 1] for n in range(len(stream))] if way == "split" else [stream]
    return picture([(b"IHDR", parts[b"IHDR"]), *((b"IDAT", piece) for piece in pieces), (b"IEND", b"")])


def png_bomb(random: Random, _: bytes) -> bytes:
    """Tens of thousands of black rows in some kilobytes."""
    return _black(random.choice((8000, 20000)), random.choice((1, 8, 16)))


@cache
def _black(side: int, depth: int) -> bytes:
    packer = zlib.compressobj(9)
    rows = bytes(1 + side * depth // 8)
    packed = b"".join(packer.compress(rows) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0)
    return picture([(b"IHDR", head), (b"IDAT", packed), (b"IEND", b"")])


PNG = {**BLUNT, **named(first_chunk, chunk_order, length_or_checksum, more_chunks, rotten_pixels, png_bomb)}

"""Pictures: JPEG masks with segments that are damaged, missing, or in another order."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from random import Random

import numpy as np
from PIL import Image

from tests.damage.blunt import BLUNT, named


@cache
def sound_jpeg() -> bytes:
    """A mask of 6 × 5 pixels."""
    mask = np.zeros((6, 5), np.uint8)
    mask[1:4, 1:4] = 255
    stream = BytesIO()
    Image.fromarray(mask).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def segment(random: Random, data: bytes) -> bytes:
    """A marker of another kind, or a segment of another length."""
    places = [place for place in range(2, len(data) - 4) if data[place] == 0xFF and data[place + 1] > 0xBF]
    place = random.choice(places)
    if random.random() < 0.5:
        return data[: place + 1] + bytes([random.randrange(256)]) + data[place + 2 :]
    length = random.choice((0, 1, 2, 3, 65535)).to_bytes(2, "big")
    return data[: place + 2] + length + data[place + 4 :]


def size(random: Random, data: bytes) -> bytes:
    """Rows, columns or components that the pixels do not have."""
    frame = data.index(b"\xff\xc0") + 5
    sides = b"".join(random.choice((0, 1, 5, 6, 65535)).to_bytes(2, "big") for _ in range(2))
    return data[:frame] + sides + bytes([random.choice((1, 3, 4, 0, 255))]) + data[frame + 5 :]


def exif(random: Random, data: bytes) -> bytes:
    """EXIF data that turn the picture, or are malformed."""
    body = b"Exif\0\0" + random.choice(
        (
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
            b"II*\0\xff\xff\xff\xff",
            b"",
            b"MM",
        )
    )
    return data[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]


JPEG = {**BLUNT, **named(segment, size, exif)}

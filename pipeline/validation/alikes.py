"""Alikes: images that are the same, or look the same, found without comparing each with every other.

The hash is made of the signs of 64 low frequencies of a cosine transform (after C. Zauner, "Implementation
and benchmarking of perceptual image hash functions", 2010, section 3.2.1, which compares with the median
instead of 0). Two hashes within `NEAR_BITS` of each other agree in at least one of `NEAR_BITS` + 1 parts
(M. Norouzi, A. Punjani, D. Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012,
proposition 1), so only images that share a part are compared. Because all radiographs of one view share their
coarsest structure, a pair must also share the finer one: what is brighter than its surroundings on a grid of
64 × 64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity

TRANSFORMED = 32
"""Side of the square that is transformed."""
FREQUENCIES = 8
"""Of each axis, the lowest but the constant."""
NEAR_BITS = 7
"""Of 64. On 194,000 pairs of different breast ultrasound images the nearest differed in 9 bits or more, on
4,400 pairs of chest radiographs in 10 or more."""
PARTS = NEAR_BITS + 1
FINE_GRID = 64
FINE_SIGMA = 1.0
"""Of the Gaussian that makes a cell's surroundings, in cells."""
FLAT = 0.0005
"""Of the range of brightness: what rises less above its surroundings is padding."""
NEAR_CORRELATION = 0.25
"""Of the finer structure. Reached by 9 in 10 of the near copies of the ultrasound set, and by none of the
198,000 pairs of different images above, whatever their hashes."""
LEVELS = 65535
"""Brightness is rounded to 16 bits before it is hashed: decoders may differ in the last bit of a float."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is kept of an image's pixels."""

    sha256: str
    """Of the brightness of every pixel."""
    bits: int
    """The perceptual hash, 64 bits."""
    fine: bytes
    """The finer structure: a bit for each cell of 64 × 64."""


def pictured(pixels: Intensity) -> Picture:
    """The hashes of an image (rows, columns), 0 … 1."""
    exact = np.rint(pixels * LEVELS).astype(np.uint16)
    digest = hashlib.sha256(repr(pixels.shape).encode() + exact.tobytes()).hexdigest()
    return Picture(digest, perceptual_hash(pixels), _fine_structure(pixels))


def perceptual_hash(pixels: Intensity) -> int:
    """64 bits: which of the low frequencies of the image are positive."""
    transformed = cv2.dct(_shrunk(pixels, TRANSFORMED))
    low = transformed[1 : FREQUENCIES + 1, 1 : FREQUENCIES + 1] > 0
    return int.from_bytes(np.packbits(low).tobytes(), "big")


def alike(pictures: Sequence[Picture]) -> list[tuple[int, ...]]:
    """Groups of at least two that look the same, by index; the same through a third are one group, too."""
    group = np.arange(len(pictures))
    bits = np.array([picture.bits for picture in pictures], np.uint64)
    for members in _sharing_a_part(bits):
        for place, one in enumerate(members):
            others = members[place + 1 :]
            near = np.bitwise_count(bits[others] ^ bits[one]) <= NEAR_BITS
            for other in others[near & (group[others] != group[one])]:
                if (
                    group[other] != group[one]
                    and correlation(pictures[one], pictures[other]) >= NEAR_CORRELATION
                ):
                    group[group == group[other]] = group[one]
    return _members(group)


def distance(one: Picture, other: Picture) -> int:
    """In how many of 64 bits the perceptual hashes differ."""
    return (one.bits ^ other.bits).bit_count()


def correlation(one: Picture, other: Picture) -> float:
    """Pearson's, of the finer structures; 0 where one is flat, which looks like everything and nothing."""
    first, second = (_bits(picture) for picture in (one, other))
    shares = float(first.mean()), float(second.mean())
    spread = (shares[0] * (1 - shares[0]) * shares[1] * (1 - shares[1])) ** 0.5
    return (float((first & second).mean()) - shares[0] * shares[1]) / spread if spread else 0.0


def _sharing_a_part(bits: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Indices of hashes that agree in one of the parts, rising."""
    width = np.uint64(64 // PARTS)
    for part in range(PARTS):
        values = (bits >> (np.uint64(part) * width)) & np.uint64(2 ** int(width) - 1)
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=values[order][:1]))
        yield from (group for group in np.split(order, starts) if len(group) > 1)


def _members(group: NDArray[np.intp]) -> list[tuple[int, ...]]:
    """The indices in each group of two and more, in the order of the first in each."""
    found: dict[int, list[int]] = {}
    for index, name in enumerate(group.tolist()):
        found.setdefault(name, []).append(index)
    return [tuple(members) for members in found.values() if len(members) > 1]


def _fine_structure(pixels: Intensity) -> bytes:
    """Which cells of the grid are brighter than their surroundings."""
    cells = _shrunk(pixels, FINE_GRID)
    surroundings = cv2.GaussianBlur(cells, (0, 0), FINE_SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.packbits(cells - surroundings > FLAT).tobytes()


def _bits(picture: Picture) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(picture.fine, np.uint8)).astype(np.bool_)


def _shrunk(pixels: Intensity, side: int) -> Intensity:
    """The mean brightness in a grid of `side` × `side` over the whole image."""
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.float32)

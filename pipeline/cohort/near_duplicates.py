"""Near duplicates: images that are identical or look the same, found without comparing every pair.

The hash consists of the signs of 64 low frequencies of a cosine transform (after C. Zauner, "Implementation
and benchmarking of perceptual image hash functions", 2010, section 3.2.1, which compares with the median
instead of 0). Two hashes within `NEAR_BITS` of each other agree in at least one of `NEAR_BITS` + 1 parts (M.
Norouzi, A. Punjani, D. Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012, proposition
1), so only images that share a part are compared. All radiographs of one view share their coarse structure,
so a pair must also share the fine structure: which cells of a 64 × 64 grid are brighter than their
surroundings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Intensity, pixel_hash

TRANSFORMED = 32
"""Side, in cells, of the square that is transformed."""
FREQUENCIES = 8
"""Number of frequencies used per axis: the lowest ones without the constant."""
NEAR_BITS = 7
"""Most bits, of 64, in which near duplicates differ. Over 194,000 pairs of different breast ultrasound images
the smallest difference was 9 bits; over 4,400 pairs of chest radiographs it was 10."""
PARTS = NEAR_BITS + 1
FINE_GRID = 64
FINE_SIGMA = 1.0
"""Standard deviation, in cells, of the Gaussian that averages a cell's surroundings."""
FLAT = 0.0005
"""Least excess of brightness (0 … 1) over the surroundings; smaller ones occur in padding."""
NEAR_CORRELATION = 0.25
"""Least correlation of the fine structure of near duplicates. 9 in 10 near copies in the ultrasound set reach
it, and none of the 198,000 pairs of different images above."""
HASH_DIGITS = 16
LOOK_DIGITS = HASH_DIGITS + FINE_GRID * FINE_GRID // 4
"""Hexadecimal digits of the hash, and of both."""
LEVELS = 65535
"""Brightness is rounded to 16 bits before hashing, because decoders may differ in the last bit of a float."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Hashes of an image's pixels."""

    sha256: str
    """SHA-256 of the brightness of all pixels."""
    bits: int
    """Perceptual hash, 64 bits."""
    fine: bytes
    """Fine structure, one bit per cell of a 64 × 64 grid."""


def picture_hashes(pixels: Intensity) -> Picture:
    """Hashes of an image (rows, columns) with brightness 0 … 1."""
    return Picture(pixel_hash(pixels), perceptual_hash(pixels), _fine_structure(pixels))


def look_of(pixels: Intensity) -> str:
    """The perceptual hash and the fine structure as text, which `read_look` reads."""
    return f"{perceptual_hash(pixels):016x}{_fine_structure(pixels).hex()}"


def read_look(text: str) -> Picture:
    """The hashes in the text of `look_of`, without that of the pixels. Raises ValueError for another text."""
    if len(text) != LOOK_DIGITS:
        raise ValueError(f"wanted {LOOK_DIGITS} digits")
    return Picture("", int(text[:HASH_DIGITS], 16), bytes.fromhex(text[HASH_DIGITS:]))


def perceptual_hash(pixels: Intensity) -> int:
    """64 bits, one per low frequency of the image: 1 if it is positive."""
    transformed = cv2.dct(_shrunk(pixels, TRANSFORMED))
    low = transformed[1 : FREQUENCIES + 1, 1 : FREQUENCIES + 1] > 0
    return int.from_bytes(np.packbits(low).tobytes(), "big")


def near_duplicate_groups(pictures: Sequence[Picture]) -> list[tuple[int, ...]]:
    """Indices of each group of two or more images that look the same; A like B and B like C are one group."""
    group = np.arange(len(pictures))
    bits = np.array([picture.bits for picture in pictures], np.uint64)
    for members in _sharing_a_part(bits):
        for position, one in enumerate(members):
            others = members[position + 1 :]
            near = np.bitwise_count(bits[others] ^ bits[one]) <= NEAR_BITS
            for other in others[near & (group[others] != group[one])]:
                if (
                    group[other] != group[one]
                    and correlation(pictures[one], pictures[other]) >= NEAR_CORRELATION
                ):
                    group[group == group[other]] = group[one]
    return _members(group)


def distance(one: Picture, other: Picture) -> int:
    """Number of bits, of 64, in which the perceptual hashes differ."""
    return (one.bits ^ other.bits).bit_count()


def correlation(one: Picture, other: Picture) -> float:
    """Pearson correlation of the fine structures; 0 if one of them is flat."""
    first, second = (_bits(picture) for picture in (one, other))
    shares = float(first.mean()), float(second.mean())
    spread = (shares[0] * (1 - shares[0]) * shares[1] * (1 - shares[1])) ** 0.5
    return (float((first & second).mean()) - shares[0] * shares[1]) / spread if spread else 0.0


def _sharing_a_part(bits: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Ascending indices of hashes that agree in one part, group by group."""
    width = np.uint64(64 // PARTS)
    for part in range(PARTS):
        values = (bits >> (np.uint64(part) * width)) & np.uint64(2 ** int(width) - 1)
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=values[order][:1]))
        yield from (group for group in np.split(order, starts) if len(group) > 1)


def _members(group: NDArray[np.intp]) -> list[tuple[int, ...]]:
    """Indices of each group of two or more, ordered by the first index of each group."""
    found: dict[int, list[int]] = {}
    for index, group_id in enumerate(group.tolist()):
        found.setdefault(group_id, []).append(index)
    return [tuple(members) for members in found.values() if len(members) > 1]


def _fine_structure(pixels: Intensity) -> bytes:
    """One bit per cell of the grid: 1 if it is brighter than its surroundings."""
    cells = _shrunk(pixels, FINE_GRID)
    surroundings = cv2.GaussianBlur(cells, (0, 0), FINE_SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.packbits(cells - surroundings > FLAT).tobytes()


def _bits(picture: Picture) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(picture.fine, np.uint8)).astype(np.bool_)


def _shrunk(pixels: Intensity, side: int) -> Intensity:
    """Mean brightness in each cell of a `side` × `side` grid over the whole image."""
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.float32)

"""Uniform random: different random numbers for each image and finding."""

import hashlib

import numpy as np

from pipeline.contracts import Baseline
from pipeline.records import Intensity, Shape

COARSE: Shape = (7, 7)
"""(rows, columns) of most class activation maps: 224² pixels at stride 32.

Noise on a finer grid would give contours of a few pixels each, unlike those of any attribution method, and
any larger contour would score better wherever it lies.
"""
BITS = 24
"""Bits per random number: as many as float32 holds exactly."""


def uniform_random(*identity: str | int) -> Intensity:
    """Independent uniform numbers, 0 … 1, on `COARSE`; the same for the same identity on every machine.

    The numbers are a SHAKE-256 hash of the identity, so that a resumed run needs no generator state and
    library updates do not change them.
    """
    count = COARSE[0] * COARSE[1]
    words = hashlib.shake_256(repr(identity).encode()).digest(4 * count)
    whole = np.frombuffer(words, "<u4") >> (32 - BITS)
    return np.asarray(whole.reshape(COARSE) / 2**BITS, np.float32)


UNIFORM_RANDOM = Baseline(
    reads="identity",
    draw=uniform_random,
    title="random map",
    subject="a random map",
)

"""Negatives: images whose bright and dark parts are exchanged beside the others of their study set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.cohort.near_duplicates import Picture

BITS = 64
"""Of the hash of an image: the signs of its low frequencies."""
OPPOSITE = -0.3
"""Correlation with the common structure below which an image is a negative. The lowest of 64 phantoms was .2,
of 95 chest radiographs -.1; phantoms that were inverted reached -.8."""
COMMON = 0.3
"""Median correlation of the others from which on a study set has a common structure. Chest radiographs have
.5, phantoms .6; breast ultrasound images, 0."""
FEWEST = 24
"""Images from which on they show what they have in common. Fewer have an axis by chance: negatives were found
in 11 of 60 sets of 12 images without anything in common, in 1 of 60 of 20, and in none of 1,000 of 24."""


def negatives_among(pictures: Sequence[Picture]) -> list[int]:
    """Indices of the images that look like negatives of the majority.

    None if the images are fewer than `FEWEST`, or have little in common.

    The signs of an image's low frequencies are compared with those that most images share, the first
    principal axis of all of them: negatives have the opposite signs.
    """
    if len(pictures) < FEWEST:
        return []
    shifts = np.arange(BITS, dtype=np.uint64)
    bits = np.array([picture.bits for picture in pictures], np.uint64)
    signs = np.where((bits[:, None] >> shifts) & np.uint64(1), 1.0, -1.0)
    common = np.linalg.eigh(signs.T @ signs).eigenvectors[:, -1]
    correlation = signs @ common / np.sqrt(BITS)
    if np.median(correlation) < 0:
        correlation = -correlation
    opposite = correlation < OPPOSITE
    if opposite.all() or np.median(correlation[~opposite]) < COMMON:
        return []
    return [int(number) for number in np.flatnonzero(opposite)]

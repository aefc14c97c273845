"""Samples: phantom films as the reference model takes them, with labels and, for measuring, masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Raster

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import Phantom, phantom
from pipeline.records import Intensity

INPUT_SIZE = 128
"""Rows and columns that the network takes."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Films in the order of their index."""

    inputs: NDArray[np.float16]
    """(films, INPUT_SIZE, INPUT_SIZE), 0 … 1."""
    labels: NDArray[np.bool_]
    """(films, findings)."""
    masks: NDArray[np.uint8]
    """(films, size, size), bit k set inside a lesion of finding k; empty where not asked for."""


def samples(seed: int, count: int, *, size: int, with_masks: bool = False, processes: int = 2) -> Samples:
    """The first films of a seed, made at `size` pixels and resampled to the network's input."""
    one = partial(_sample, seed, size=size, with_masks=with_masks)
    with get_context("spawn").Pool(processes) as pool:
        inputs, labels, masks = zip(*pool.imap(one, range(count), chunksize=16), strict=True)
    return Samples(
        np.stack(inputs), np.array(labels), np.stack(masks) if with_masks else np.zeros(0, np.uint8)
    )


def network_input(pixels: Intensity) -> Intensity:
    """A film resampled as the model card says: bilinear with antialiasing, in floating point."""
    film = Raster.fromarray(np.ascontiguousarray(pixels, np.float32))
    return np.asarray(film.resize((INPUT_SIZE, INPUT_SIZE), Raster.Resampling.BILINEAR))


def labels_of(film: Phantom) -> list[bool]:
    """Whether each finding is present."""
    return [bool(film.masks[finding]) for finding in FINDINGS]


def mask_bits(film: Phantom) -> NDArray[np.uint8]:
    """All masks in one array: bit k is set inside any lesion of finding k."""
    bits = np.zeros(film.pixels.shape, np.uint8)
    for number, finding in enumerate(FINDINGS):
        for mask in film.masks[finding]:
            bits[mask] |= np.uint8(1 << number)
    return bits


def _sample(
    seed: int, index: int, *, size: int, with_masks: bool
) -> tuple[NDArray[np.float16], Sequence[bool], NDArray[np.uint8]]:
    film = phantom(seed, index, size=size)
    masks = mask_bits(film) if with_masks else np.zeros(0, np.uint8)
    return network_input(film.pixels).astype(np.float16), labels_of(film), masks

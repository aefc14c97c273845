"""Images, findings and networks whose answers to every probe are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.classifiers import Preprocessing
from pipeline.classifiers.recipe import Resize
from pipeline.contracts import ProbedImage
from pipeline.records import Image

SHAPE = (128, 128)
PREPROCESSING = Preprocessing(window="header", resize=Resize(rule="exact", size=(64, 64)))
Network = Callable[[NDArray[np.float32]], float]
LESION = np.s_[56:68, 40:52]


def film(seed: int, *, lesion: bool) -> NDArray[np.float32]:
    """Textured tissue in a black frame, with or without a lesion brighter than its surroundings."""
    random = np.random.default_rng(seed)
    image = np.zeros(SHAPE, np.float32)
    image[16:112, 16:112] = 0.4 + 0.03 * random.standard_normal((96, 96))
    if lesion:
        image[LESION] += 0.2
    return image


def probed(
    pixels: NDArray[np.float32], *, lesion: bool, other: NDArray[np.float32] | None = None
) -> ProbedImage:
    region = np.zeros(SHAPE, bool)
    region[LESION] = True
    return ProbedImage(
        Image("case-1", pixels, None),
        PREPROCESSING,
        {"mass": region} if lesion else {},
        ("mass",) if lesion else (),
        None if other is None else Image("case-2", other, None),
    )


def reads_lesion(pixels: NDArray[np.float32]) -> float:
    """How much brighter the brightest lesion-sized patch is than the tissue's middle value."""
    patches = pixels[16:112, 16:112].reshape(8, 12, 8, 12).mean(axis=(1, 3))
    shifted = pixels[20:116, 16:112].reshape(8, 12, 8, 12).mean(axis=(1, 3))
    return float(max(patches.max(), shifted.max()) - np.median(pixels[pixels > 0.1]))

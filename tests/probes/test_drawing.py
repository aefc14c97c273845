"""Drawing: regions that are too small to be lesions are not replaced."""

from __future__ import annotations

import numpy as np

from pipeline.probes.drawing import judgeable


def region(*pixels: tuple[int, int]) -> np.ndarray:
    found = np.zeros((8, 8), bool)
    for pixel in pixels:
        found[pixel] = True
    return found


def test_masks_of_one_pixel_mark_a_place_and_cannot_accuse_a_network() -> None:
    square = region((2, 2), (2, 3), (3, 2), (3, 3))
    regions = {"mass": region((4, 4)), "nodule": square}
    assert judgeable(("mass", "nodule", "effusion"), regions) == ("nodule",)

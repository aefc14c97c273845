"""Tests of images that look like negatives of the others."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.cohort.near_duplicates import Picture, look_of, read_look
from pipeline.cohort.negatives import FEWEST, negatives_among


def scene(number: int, *, common: float) -> NDArray[np.float32]:
    """A picture whose structure is partly the same in all pictures."""
    parts = []
    for seed in (0, number + 1):
        noise = np.random.default_rng(seed).standard_normal((64, 64)).astype(np.float32)
        blurred = cv2.GaussianBlur(noise, (0, 0), 6)
        parts.append(blurred / blurred.std())
    return np.clip(0.5 + 0.1 * (common * parts[0] + (1 - common) * parts[1]), 0, 1).astype(np.float32)


def pictures(count: int, *, inverted: range = range(0), common: float = 0.7) -> list[Picture]:
    scenes = (scene(number, common=common) for number in range(count))
    return [
        read_look(look_of(1 - pixels if number in inverted else pixels))
        for number, pixels in enumerate(scenes)
    ]


def test_inverted_images_among_others_of_one_kind_are_found() -> None:
    assert negatives_among(pictures(24, inverted=range(3, 8))) == [3, 4, 5, 6, 7]


def test_the_fewer_are_the_negatives() -> None:
    assert negatives_among(pictures(24, inverted=range(17))) == list(range(17, 24))


def test_images_of_one_kind_hold_no_negatives() -> None:
    assert negatives_among(pictures(24)) == []


def test_images_with_little_in_common_tell_no_negatives() -> None:
    assert negatives_among(pictures(40, inverted=range(5), common=0.0)) == []


def test_few_images_share_an_axis_by_chance_and_tell_no_negatives() -> None:
    assert negatives_among(pictures(FEWEST - 1, inverted=range(3, 8))) == []
    random = np.random.default_rng(0)
    for _ in range(20):
        bits = random.integers(0, 2**64, FEWEST, dtype=np.uint64).tolist()
        assert negatives_among([Picture("", one, b"") for one in bits]) == []


def test_one_image_or_none_is_no_negative() -> None:
    assert negatives_among([]) == []
    assert negatives_among(pictures(1)) == []

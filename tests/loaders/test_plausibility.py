"""Plausibility: images that use hardly any brightness, and images that may be masks."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.loaders.plausibility import NARROW_RANGE, TWO_VALUES, has_two_values

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def reasons(image) -> list[str]:
    return [caution.reason for caution in image.cautions]


@pytest.mark.parametrize(("highest", "warned"), [(15, True), (16, False)])
def test_sixteen_of_256_levels_are_the_limit(highest: int, warned: bool, write, load) -> None:  # noqa: FBT001
    # 15 steps of 255 are .059 and 16 are .063; the limit, 1/16, is .0625.
    assert reasons(load(write(np.minimum(RAMP, highest)))) == [NARROW_RANGE] * warned


def test_a_window_far_from_the_values_is_a_warning(write, load) -> None:
    image = load(write(RAMP.astype(np.uint16) * 16, WindowCenter=40, WindowWidth=4))
    assert reasons(image) == []
    dark = load(write(RAMP.astype(np.uint16), WindowCenter=5000, WindowWidth=100))
    assert reasons(dark) == [NARROW_RANGE]
    assert "with its window or look-up table" in dark.cautions[0].message


def test_padding_is_no_brightness(write, load) -> None:
    padded = np.where(RAMP < 128, 255, RAMP % 16).astype(np.uint8)
    assert reasons(load(write(padded, PixelPaddingValue=255))) == [NARROW_RANGE]
    assert reasons(load(write(padded))) == []
    assert reasons(load(write(np.full((4, 4), 7, np.uint8), PixelPaddingValue=7))) == []


def test_two_values_and_no_more_are_those_of_a_mask(write, load) -> None:
    assert has_two_values(np.array([[0, 255], [255, 0]]))
    assert not has_two_values(np.array([[0, 255], [1, 0]]))
    assert not has_two_values(np.array([[3, 3]]))
    assert not has_two_values(np.zeros((2, 2, 3)))
    assert reasons(load(write([[0, 255], [255, 0]]))) == [TWO_VALUES]

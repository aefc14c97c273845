"""Tests of connected parts as lesions."""

from __future__ import annotations

import numpy as np

from pipeline.annotations.parts import parts_of


def test_parts_that_touch_at_a_corner_are_one() -> None:
    assert [part.astype(int).tolist() for part in parts_of(np.eye(2, dtype=bool))] == [[[1, 0], [0, 1]]]


def test_parts_come_in_reading_order() -> None:
    found = parts_of(np.array([[0, 1, 0], [0, 0, 0], [1, 0, 1]], bool))
    assert [np.argwhere(part).tolist() for part in found] == [[[0, 1]], [[2, 0]], [[2, 2]]]


def test_a_speck_belongs_to_the_nearest_lesion() -> None:
    """Lesions of 40 × 40 and 10 × 10 pixels; a single pixel is less than 1/1000 of the first."""
    mask = np.zeros((50, 70), bool)
    mask[:40, :40] = mask[30:40, 50:60] = True
    mask[45, 60] = True
    first, second = parts_of(mask)
    assert (first.sum(), second.sum()) == (1600, 101)
    assert second[45, 60]


def test_nothing_has_no_parts() -> None:
    assert parts_of(np.zeros((2, 2), bool)) == ()

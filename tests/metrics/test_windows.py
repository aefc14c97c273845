"""Windows are the smallest around masks, and comparisons within them find what the whole image shows."""

import numpy as np

from pipeline.metrics.windows import common, window_around, window_of
from tests.metrics.samples import mask


def test_the_window_around_a_mask_is_the_smallest() -> None:
    assert window_around(mask("....", ".##.", "..#.")) == (slice(1, 3), slice(1, 3))
    assert window_around(mask("#..#")) == (slice(0, 1), slice(0, 4))
    assert window_around(mask("....")) == (slice(0, 0), slice(0, 0))


def test_a_window_has_a_slice_per_axis() -> None:
    cube = np.zeros((4, 5, 6), np.bool_)
    cube[1, 2:4, 5] = True
    assert window_of(cube) == (slice(1, 2), slice(2, 4), slice(5, 6))


def test_the_common_window_holds_what_both_hold() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        one, other = (
            tuple(slice(*sorted(random.integers(0, 7, 2).tolist())) for _ in range(2)) for _ in range(2)
        )
        inside = np.zeros((2, 7, 7), np.bool_)
        inside[0][one] = inside[1][other] = True
        both = np.zeros((7, 7), np.bool_)
        both[common(one, other)] = True  # type: ignore[arg-type]
        np.testing.assert_array_equal(both, inside[0] & inside[1])

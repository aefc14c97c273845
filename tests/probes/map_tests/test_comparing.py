"""Maps compared: hand-worked numbers, identities, scipy and skimage on maps that need no interpolation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from pipeline.geometry import cropped, whole
from pipeline.metrics.transforms import GRID
from pipeline.probes.map_tests.comparing import (
    hit,
    peak_distance,
    peak_of,
    rank_correlation,
    same_hit,
    similarity,
)
from pipeline.records import Heatmap
from tests.study import square


def heatmap(relevance: NDArray[np.float64]) -> Heatmap:
    """A map with one cell per pixel."""
    values = relevance.astype(np.float32)
    return Heatmap("case-1", "mass", "gradcam", values, "relative", whole(values.shape))


def peaked(row: int, column: int, *, side: int = 100) -> Heatmap:
    relevance = np.zeros((side, side))
    relevance[row, column] = 1
    return heatmap(relevance)


def random_map(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal(GRID)


def test_a_map_is_like_itself() -> None:
    one = heatmap(random_map(0))
    assert rank_correlation(one, one) == (1.0, "")
    assert similarity(one, one) == (1.0, "")
    assert peak_distance(one, one) == (0.0, "")


def test_ranks_do_not_see_what_keeps_the_order_and_turn_with_the_sign() -> None:
    relevance = np.abs(random_map(0))
    one = heatmap(relevance)
    assert rank_correlation(one, heatmap(3 * relevance**1.1 + 1)) == (1.0, "")
    assert rank_correlation(one, heatmap(-relevance)) == (-1.0, "")


def test_ranks_and_structure_are_those_of_scipy_and_skimage() -> None:
    first, second = random_map(1), random_map(1) + random_map(2)
    scaled = [(of - of.min()) / np.ptp(of) for of in (first, second)]
    maps = heatmap(first), heatmap(second)
    assert rank_correlation(*maps)[0] == pytest.approx(spearmanr(*map(np.ravel, scaled))[0], abs=1e-3)
    assert similarity(*maps)[0] == pytest.approx(structural_similarity(*scaled, data_range=1), abs=1e-3)


def test_only_what_both_maps_cover_is_compared() -> None:
    relevance = random_map(3)
    part = heatmap(relevance[20:60, 10:90])
    part = Heatmap(
        *("case-1", "mass", "gradcam", part.relevance, "relative"),
        cropped(whole(GRID), (20, 10), (40, 80)),
    )
    assert rank_correlation(heatmap(relevance), part) == (1.0, "")


def test_the_distance_of_peaks_is_a_share_of_the_diagonal() -> None:
    # 30 pixels down and 40 across, of an image of 100 by 100 pixels: 50 / 141.42.
    assert peak_distance(peaked(10, 20), peaked(40, 60)) == (0.3536, "")


def test_hits_and_misses() -> None:
    region = square((100, 100), 10, 10, 20)
    assert peak_of(peaked(12, 13)) == (12, 13)
    inside, outside, flat = peaked(12, 13), peaked(50, 50), heatmap(np.zeros((100, 100)))
    assert [hit(one, region)[0] for one in (inside, outside, flat)] == [1.0, 0.0, 0.0]
    assert hit(flat, region, without_peak="flat_map") == (None, "flat_map")
    assert hit(inside, None) == (None, "no_region")
    assert hit(None, region) == (None, "not_finite")
    assert same_hit(inside, inside, region) == same_hit(outside, flat, region) == (1.0, "")
    assert same_hit(inside, outside, region) == (0.0, "")


def test_what_cannot_be_compared_says_why() -> None:
    one, flat = heatmap(random_map(0)), heatmap(np.full(GRID, 0.3))
    assert rank_correlation(one, flat) == similarity(flat, one) == (None, "flat_map")
    assert peak_distance(one, heatmap(-np.ones(GRID))) == (None, "flat_map")
    assert rank_correlation(one, None) == peak_distance(None, one) == (None, "not_finite")

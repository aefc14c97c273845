"""Comparing: how alike two maps of one image are, and whether they point into a region.

Maps of different methods, inputs and networks are compared where the audit draws them: interpolated on the
image, at the centres of a grid of 100 × 100 cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from scipy.stats import rankdata
from skimage.metrics import structural_similarity

from pipeline.cases.fits import sampled
from pipeline.contours.drawing import draw
from pipeline.records import Heatmap, Mask, Values

DECIMALS = 4
RANKED_DECIMALS = 6
"""Decimals of scaled maps that count for ranks; what is beyond is rounding in float32."""
SMALLEST_SSIM = 7
"""Cells of a side below which the window of the structural similarity does not fit."""
SUMMIT = 0.999
"""Share of a map's maximum above which its peak is looked for."""
FLAT, NO_MAP = "flat_map", "not_finite"
Found: TypeAlias = tuple[float | None, str]
"""A value, and why it is undefined if it is None."""


def rank_correlation(first: Heatmap | None, second: Heatmap | None) -> Found:
    """Spearman's correlation of the signed relevance of two maps; undefined if one is the same everywhere."""
    cells, why = _cells(first, second)
    if cells is None:
        return None, why
    ranks = [rankdata(np.round(of, RANKED_DECIMALS)) for of in cells]
    return round(float(np.corrcoef(*ranks)[0, 1]), DECIMALS), ""


def similarity(first: Heatmap | None, second: Heatmap | None) -> Found:
    """Structural similarity (Wang et al. 2004) of two maps scaled to 0 … 1, as Adebayo et al. (2018) do."""
    cells, why = _cells(first, second)
    if cells is None:
        return None, why
    if min(cells[0].shape) < SMALLEST_SSIM:
        return None, "too_small"
    return round(float(structural_similarity(*cells, data_range=1.0)), DECIMALS), ""


def peak_distance(first: Heatmap | None, second: Heatmap | None) -> Found:
    """Distance of two maps' highest pixels, as a share of the image's diagonal."""
    if first is None or second is None:
        return None, NO_MAP
    one, other = peak_of(first), peak_of(second)
    if one is None or other is None:
        return None, FLAT
    return round(math.dist(one, other) / math.hypot(*first.placement.image_shape), DECIMALS), ""


def hit(heatmap: Heatmap | None, region: Mask | None, *, without_peak: str = "") -> Found:
    """1 if the map's highest pixel lies in the region, else 0.

    A map without a peak is a miss, as in the audit, or undefined for the reason `without_peak`.
    """
    if heatmap is None:
        return None, NO_MAP
    if region is None:
        return None, "no_region"
    peak = peak_of(heatmap)
    if peak is None and without_peak:
        return None, without_peak
    return float(peak is not None and bool(region[peak])), ""


def same_hit(first: Heatmap | None, second: Heatmap | None, region: Mask | None) -> Found:
    """1 if both maps point into the region, or neither does, else 0."""
    (one, why), (other, why_other) = hit(first, region), hit(second, region)
    if one is None or other is None:
        return None, why or why_other
    return float(one == other), ""


def likeness(
    first: Heatmap | None, second: Heatmap | None, region: Mask | None
) -> Iterator[tuple[str, Found]]:
    """Measure → how alike two maps are: in the order of their values, in their peaks, in pointing."""
    yield "spearman", rank_correlation(first, second)
    yield "peak_distance", peak_distance(first, second)
    yield "same_hit", same_hit(first, second, region)


def peak_of(heatmap: Heatmap) -> tuple[int, int] | None:
    """(row, column) of the map's highest pixel, as the audit draws it; None if nothing stands out."""
    return draw(heatmap, rule="fraction", threshold=SUMMIT, outlined=False).peak


def _cells(first: Heatmap | None, second: Heatmap | None) -> tuple[list[Values] | None, str]:
    """Both maps at the cells that both cover, each scaled to 0 … 1; None and why if one is flat."""
    if first is None or second is None:
        return None, NO_MAP
    sampled = [_sampled(heatmap) for heatmap in (first, second)]
    seen = np.logical_and(*[np.isfinite(values) for values in sampled])
    part = np.ix_(seen.any(axis=1), seen.any(axis=0))
    parts = [values[part] for values in sampled]
    if not parts[0].size or any(np.ptp(of) <= FLATNESS * np.abs(of).max() for of in parts):
        return None, FLAT
    return [(of - of.min()) / np.ptp(of) for of in parts], ""


FLATNESS = 1e-6
"""Range of a map below which it counts as flat, as a share of its largest value: rounding in float32."""


def _sampled(heatmap: Heatmap) -> Values:
    """Signed relevance at the cells of `transforms.GRID`, float64; NaN beyond what the network saw."""
    relevance, seen = sampled(heatmap)
    return np.where(seen > 0, relevance, np.nan).astype(np.float64)

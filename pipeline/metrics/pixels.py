"""Pixels: how well the map ranks mask pixels above all others, over all thresholds.

As for contours, only positive relevance counts; pixels without it tie. AUROC and AUPRC come from one
histogram per map, in steps of 1/65520 of its maximum; the IoU curve comes from one in 20 steps.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts
from pipeline.records import Intensity, Mask, Values

COARSE = 20
"""Number of steps of the IoU curve; LEVELS are the edges between them."""
STEPS = 65_520
"""Number of histogram steps: a multiple of 20, so that bins have edges at each 5 %, and below 2**16."""
ROUNDING = np.float32(0.01)
"""Share of a step added before truncation, so that float32 rounding puts no pixel below its level."""
FLAT = 1e-6
"""Relative range of a flat map: all its pixels tie, and it has no contours."""
LEVELS = tuple(step / COARSE for step in range(1, COARSE))
"""Shares of the map's maximum at which the IoU curve is computed."""


class Histogram(NamedTuple):
    """Number of pixels per step of relevance, from 0 to the maximum, (STEPS + 1,)."""

    inside: Values
    outside: Values


@lru_cache(maxsize=1)  # shared by several metrics
def histogram(scored: Scored) -> Histogram:
    """Histograms of the pixels inside and outside the masks; the drawing must have a map."""
    return histogram_within(scored, scored.truth)


def histogram_within(scored: Scored, truth: Mask) -> Histogram:
    """Histograms of the pixels inside and outside another mask of the image's shape."""
    step = _steps(scored, STEPS).astype(np.uint16)
    inside = np.bincount(step[truth], minlength=STEPS + 1).astype(np.float64)
    return Histogram(inside, np.bincount(step.ravel(), minlength=STEPS + 1) - inside)


def iou_curve(scored: Scored) -> tuple[float, ...]:
    """IoU of the masks with all pixels at or above each of LEVELS."""
    pixels = _steps(scored, COARSE).astype(np.uint8)
    pixels += scored.truth * np.uint8(COARSE + 1)  # mask pixels get bins of their own
    ends = [0, 2 * (COARSE + 1)]
    counts = cv2.calcHist([pixels], [0], None, ends[1:], ends).astype(np.float64).reshape(2, COARSE + 1)
    inside, everywhere = (np.cumsum(row[::-1])[::-1] for row in (counts[1], counts.sum(axis=0)))
    area, shared = everywhere[1:COARSE], inside[1:COARSE]
    return tuple((shared / (inside[0] + area - shared)).tolist())


def _steps(scored: Scored, steps: int) -> Intensity:
    """The relevance of each pixel in steps, with `steps` at the maximum; callers truncate it to integers."""
    relevance, heatmap = scored.relevance, scored.drawing.heatmap
    assert relevance is not None
    assert heatmap is not None
    highest, least = max(float(relevance.max()), 0), max(float(heatmap.relevance.min()), 0)
    if highest - least <= FLAT * highest:
        return np.zeros_like(relevance)
    height: Intensity = relevance * np.float32(steps / highest)
    height += ROUNDING * np.float32(steps / STEPS)
    np.minimum(height, np.float32(steps), out=height)
    return height


def _best_iou(scored: Scored) -> tuple[float]:
    return (max(iou_curve(scored)),)


def _auprc(scored: Scored) -> tuple[float]:
    inside, outside = histogram(scored)
    return (float(average_precision_of_counts(inside[None], outside[None])[0]),)


def _auroc(scored: Scored) -> tuple[float | Undefined]:
    inside, outside = histogram(scored)
    if not outside.any():
        return ("mask_fills_image",)
    return (float(auroc_of_counts(inside[None], outside[None])[0]),)


PIXEL_AUPRC = Metric(
    name="pixel_auprc",
    title="Pixel AUPRC",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_auprc,
    reads="map",
)
"""Average precision; its chance level is the share of the image inside the masks (Arun et al. 2021)."""

PIXEL_AUROC = Metric(
    name="pixel_auroc",
    title="Pixel AUROC",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_auroc,
    reads="map",
)
"""The probability that a mask pixel has more relevance than one outside; ties count half."""

BEST_IOU = Metric(
    name="best_iou",
    title="IoU at the image's best threshold",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_best_iou,
    reads="map",
)
"""The maximum of the IoU curve: optimistic, because the threshold is chosen knowing the reference."""

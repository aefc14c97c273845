"""Pixels: how well the map ranks the pixels of the masks above all others, at every threshold at once.

Positive relevance is ranked, as contours are drawn of it; where it is not positive all pixels tie. Every
number here comes from one histogram a map, in steps of 1/65520 of its maximum.
"""

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.metrics.bootstrap import Values
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts
from pipeline.records import Intensity

COARSE = 20
"""Steps of the IoU curve: LEVELS are the edges between them."""
STEPS = 65_520
"""A multiple of 20, so that levels at 5 % are edges of bins; with 0 they are counted in 16 bits."""
ROUNDING = np.float32(0.01)
"""Of a step: a pixel exactly at a level reaches it, although its step was rounded in float32."""
FLAT = 1e-6
"""Relative: a map that differs less from cell to cell ranks nothing, and no contour is drawn of it."""
LEVELS = tuple(step / COARSE for step in range(1, COARSE))
"""Shares of the map's maximum at which the IoU curve is known."""


class Histogram(NamedTuple):
    """Pixels by their relevance, from none to the maximum, (STEPS + 1,)."""

    inside: Values
    outside: Values


@lru_cache(maxsize=1)  # several metrics ask for the same
def histogram(scored: Scored) -> Histogram:
    """Of the pixels inside the masks and outside them; the drawing has a map."""
    step = _steps(scored, STEPS).astype(np.uint16)
    inside = np.bincount(step[scored.truth], minlength=STEPS + 1).astype(np.float64)
    return Histogram(inside, np.bincount(step.ravel(), minlength=STEPS + 1) - inside)


def iou_curve(scored: Scored) -> tuple[float, ...]:
    """The IoU with the masks of all pixels from each of LEVELS up."""
    pixels = _steps(scored, COARSE).astype(np.uint8)
    pixels += scored.truth * np.uint8(COARSE + 1)  # inside the masks, steps are counted from there on
    ends = [0, 2 * (COARSE + 1)]
    counts = cv2.calcHist([pixels], [0], None, ends[1:], ends).astype(np.float64).reshape(2, COARSE + 1)
    inside, everywhere = (np.cumsum(row[::-1])[::-1] for row in (counts[1], counts.sum(axis=0)))
    drawn, found = everywhere[1:COARSE], inside[1:COARSE]
    return tuple((found / (inside[0] + drawn - found)).tolist())


def _steps(scored: Scored, steps: int) -> Intensity:
    """How many steps each pixel is high, of `steps` up to the maximum, to be cut to whole ones."""
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
    title="AUPRC of pixels",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_auprc,
    reads="map",
)
"""Average precision; by chance it is the share of the image that the masks cover (Arun et al. 2021)."""

PIXEL_AUROC = Metric(
    name="pixel_auroc",
    title="AUROC of pixels",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_auroc,
    reads="map",
)
"""The chance that a pixel of a mask has more relevance than one outside, ties counted half."""

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
"""The highest of the IoU curve: a threshold chosen with the answer known, so what no rule can reach."""

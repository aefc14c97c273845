"""Ranks: share of the map's highest pixels that lie within the annotation (CLEVR-XAI, Arras et al. 2022).

The relevance rank accuracy takes as many of the highest pixels as the annotation has. It does not depend on
a threshold, nor on how much relevance the pixels have. Its chance level is the annotation's share of the
image.
"""

from __future__ import annotations

import numpy as np

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.geometry import box_pixels
from pipeline.metrics.emptiness import MAP
from pipeline.metrics.pixels import Histogram, histogram, histogram_within
from pipeline.metrics.ranking import top_share_of_counts


def _rank_accuracy(scored: Scored) -> tuple[float]:
    return (_share(histogram(scored)),)


def _box_rank_accuracy(scored: Scored) -> tuple[float | Undefined]:
    inside = np.zeros(scored.shape, np.bool_)
    for box in scored.reference.boxes:
        inside[box_pixels(box, scored.shape)] = True
    if not inside.any():
        return ("boxes_without_pixels",)
    return (_share(histogram_within(scored, inside)),)


def _share(pixels: Histogram) -> float:
    return float(top_share_of_counts(pixels.inside[None], pixels.outside[None])[0])


RANK_ACCURACY = Metric(
    name="rank_accuracy",
    title="Relevance rank accuracy",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_rank_accuracy,
    reads="map",
)
"""Of the K highest pixels, the share inside the masks, which have K pixels together.

As for contours, only positive relevance counts. Where equal pixels compete for the last places (pixels
without relevance are equal, too), the score is its mean over all choices among them.
"""

BOX_RANK_ACCURACY = Metric(
    name="box_rank_accuracy",
    title="Relevance rank accuracy in boxes",
    against=frozenset({"box"}),
    level="image",
    better="higher",
    unit="",
    emptiness=MAP,
    score=_box_rank_accuracy,
    reads="map",
)
"""The same for pixels whose centres lie in the union of the boxes, edges included.

Kept apart from `rank_accuracy`: a box includes tissue around the lesion, so its pixels are more and easier.
"""

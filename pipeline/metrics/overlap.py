"""Overlap: areas that regions and reference masks have in common, of the whole image and of each lesion."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import DRAWN_AND_THERE, DRAWN_OR_THERE, LOCALISATION
from pipeline.records import Mask, Region


class Areas(NamedTuple):
    """Pixel counts of two sides; arrays where there are several regions or lesions."""

    shared: NDArray[np.int64]
    drawn: NDArray[np.int64]
    truth: NDArray[np.int64]


def intersection_over_union(areas: Areas) -> NDArray[np.float64]:
    """The share of two areas' union that they have in common."""
    return areas.shared / (areas.drawn + areas.truth - areas.shared)


def dice_coefficient(areas: Areas) -> NDArray[np.float64]:
    """Twice the common area over the sum of both."""
    return 2 * areas.shared / (areas.drawn + areas.truth)


@lru_cache(maxsize=1)  # several metrics ask for the same
def image_areas(scored: Scored) -> Areas:
    """Of the regions' union and the instances' union."""
    drawn, truth = scored.drawing.mask, scored.truth
    return Areas(*(np.array(np.count_nonzero(mask)) for mask in (drawn & truth, drawn, truth)))


@lru_cache(maxsize=1)
def lesion_areas(scored: Scored) -> Areas:
    """Of each region (first axis) and each instance of the reference (second axis)."""
    regions, lesions = scored.drawing.regions, scored.reference.masks
    shared = [[_shared(region, lesion) for lesion in lesions] for region in regions]
    return Areas(
        np.array(shared, np.int64).reshape(len(regions), len(lesions)),
        np.array([[region.area_px] for region in regions], np.int64).reshape(-1, 1),
        np.array([[np.count_nonzero(lesion) for lesion in lesions]], np.int64),
    )


def _shared(region: Region, lesion: Mask) -> int:
    row, column = region.corner
    height, width = region.mask.shape
    return int(np.count_nonzero(region.mask & lesion[row : row + height, column : column + width]))


def _of_image(share: Callable[[Areas], NDArray[np.float64]]) -> Callable[[Scored], tuple[float]]:
    return lambda scored: (float(share(image_areas(scored))),)


def _of_lesions(share: Callable[[Areas], NDArray[np.float64]]) -> Callable[[Scored], tuple[float, ...]]:
    """Each instance against the region that overlaps it best; one region may serve several."""
    return lambda scored: tuple(share(lesion_areas(scored)).max(axis=0).tolist())


IOU = Metric(
    name="iou",
    title="IoU",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_image(intersection_over_union),
)
"""All regions together against all instances together."""

IOU_TRUE_POSITIVES = replace(
    IOU,
    name="iou_true_positives",
    title="IoU of true positives alone",
    emptiness=DRAWN_AND_THERE,
)
"""As IOU, over the images on which both sides drew something (CheXlocalize, `true_pos_only`)."""

IOU_WITH_FALSE_POSITIVES = replace(
    IOU,
    name="iou_with_false_positives",
    title="IoU, contours on healthy images as 0",
    emptiness=DRAWN_OR_THERE,
)
"""As IOU, over the images on which either side drew something (CheXlocalize without `true_pos_only`)."""

DICE = Metric(
    name="dice",
    title="Dice",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_image(dice_coefficient),
)
"""All regions together against all instances together."""

PRECISION = Metric(
    name="precision",
    title="Precision of pixels",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_image(lambda areas: areas.shared / areas.drawn),
)
"""The share of what was drawn that the reference has; 0 where nothing was drawn on a lesion."""

RECALL = Metric(
    name="recall",
    title="Recall of pixels",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_image(lambda areas: areas.shared / areas.truth),
)
"""The share of the reference that was drawn."""

LESION_IOU = Metric(
    name="lesion_iou",
    title="IoU per lesion",
    against=frozenset({"mask"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_lesions(intersection_over_union),
)
"""Each instance against the region that overlaps it best; one region may serve several."""

LESION_DICE = Metric(
    name="lesion_dice",
    title="Dice per lesion",
    against=frozenset({"mask"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_of_lesions(dice_coefficient),
)
"""Each instance against the region that overlaps it best; one region may serve several."""

"""Overlap: IoU, Dice, precision and recall of pixels, per image and per lesion."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import BOTH_PRESENT, EITHER_PRESENT, LOCALISATION
from pipeline.records import Mask, Region


class Areas(NamedTuple):
    """Pixel counts of contours, reference and their intersection; arrays for several regions or lesions."""

    shared: NDArray[np.int64]
    contours: NDArray[np.int64]
    truth: NDArray[np.int64]


def intersection_over_union(areas: Areas) -> NDArray[np.float64]:
    """Intersection over union."""
    return areas.shared / (areas.contours + areas.truth - areas.shared)


def dice_coefficient(areas: Areas) -> NDArray[np.float64]:
    """Twice the intersection over the sum of both areas."""
    return 2 * areas.shared / (areas.contours + areas.truth)


@lru_cache(maxsize=1)  # shared by several metrics
def image_areas(scored: Scored) -> Areas:
    """Areas of the union of all regions and the union of all instances."""
    drawn, truth = scored.drawing.mask, scored.truth
    return Areas(*(np.array(np.count_nonzero(mask)) for mask in (drawn & truth, drawn, truth)))


@lru_cache(maxsize=1)
def lesion_areas(scored: Scored) -> Areas:
    """Areas of each region (first axis) and each instance of the reference (second axis)."""
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


def _per_image(share: Callable[[Areas], NDArray[np.float64]]) -> Callable[[Scored], tuple[float]]:
    return lambda scored: (float(share(image_areas(scored))),)


def _per_lesion(share: Callable[[Areas], NDArray[np.float64]]) -> Callable[[Scored], tuple[float, ...]]:
    """A score per instance, with its best region; one region may serve several instances."""
    return lambda scored: tuple(share(lesion_areas(scored)).max(axis=0).tolist())


IOU = Metric(
    name="iou",
    title="IoU",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_image(intersection_over_union),
)
"""Union of all regions compared with the union of all instances."""

IOU_TRUE_POSITIVES = replace(
    IOU,
    name="iou_true_positives",
    title="IoU, true positives only",
    emptiness=BOTH_PRESENT,
)
"""As IOU, over images with both a contour and a lesion (CheXlocalize with `true_pos_only`)."""

IOU_WITH_FALSE_POSITIVES = replace(
    IOU,
    name="iou_with_false_positives",
    title="IoU, contours on healthy images count as 0",
    emptiness=EITHER_PRESENT,
)
"""As IOU, over images with a contour or a lesion (CheXlocalize without `true_pos_only`)."""

DICE = Metric(
    name="dice",
    title="Dice",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_image(dice_coefficient),
)
"""Union of all regions compared with the union of all instances."""

PRECISION = Metric(
    name="precision",
    title="Pixel precision",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_image(lambda areas: areas.shared / areas.contours),
)
"""The share of the contours' pixels that lie in the reference; 0 for a miss."""

RECALL = Metric(
    name="recall",
    title="Pixel recall",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_image(lambda areas: areas.shared / areas.truth),
)
"""The share of the reference's pixels that lie in contours."""

LESION_IOU = Metric(
    name="lesion_iou",
    title="IoU per lesion",
    against=frozenset({"mask"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_lesion(intersection_over_union),
)
"""Per instance: the highest score of a region; one region may serve several instances."""

LESION_DICE = Metric(
    name="lesion_dice",
    title="Dice per lesion",
    against=frozenset({"mask"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_per_lesion(dice_coefficient),
)
"""Per instance: the highest score of a region; one region may serve several instances."""

"""Overlap: IoU, Dice, precision and recall of pixels, per image and per lesion."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Metric, Scored, Side
from pipeline.metrics.emptiness import BOTH_PRESENT, EITHER_PRESENT, LOCALISATION
from pipeline.metrics.windows import Window, common, window_around, window_of_side
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
    one, other = scored.sides
    window = common(one.once(window_of_side), other.once(window_of_side))
    shared = np.count_nonzero(one.mask[window] & other.mask[window])
    return Areas(np.array(shared), *(np.array(side.once(_area)) for side in scored.sides))


@lru_cache(maxsize=1)
def lesion_areas(scored: Scored) -> Areas:
    """Areas of each region (first axis) and each instance of the reference (second axis)."""
    regions, lesions = scored.drawing.regions, scored.reference.masks
    drawn, true = scored.sides
    shared = np.full((len(regions), len(lesions)), image_areas(scored).shared, np.int64)
    if shared.size > 1:  # otherwise the region and the lesion are all that there is
        windows = true.once(_windows)
        for (row, region), (column, lesion) in product(enumerate(regions), enumerate(lesions)):
            shared[row, column] = _shared(region, lesion, windows[column])
    return Areas(shared, drawn.once(_areas).reshape(-1, 1), true.once(_areas).reshape(1, -1))


def _area(side: Side) -> int:
    return int(np.count_nonzero(side.mask))


def _areas(side: Side) -> NDArray[np.int64]:
    return np.array([np.count_nonzero(instance) for instance in side.instances], np.int64)


def _windows(side: Side) -> list[Window]:
    return [window_around(instance) for instance in side.instances]


def _shared(region: Region, lesion: Mask, around: Window) -> int:
    """Number of pixels that a region and a lesion, which is empty outside `around`, have in common."""
    (top, left), (height, width) = region.corner, region.mask.shape
    rows, columns = common((slice(top, top + height), slice(left, left + width)), around)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return 0
    inside = region.mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return int(np.count_nonzero(inside & lesion[rows, columns]))


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

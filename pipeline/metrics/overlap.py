"""Overlap: IoU and Dice of regions and reference masks, of the whole image and of each lesion."""

from functools import reduce

import numpy as np

from pipeline.contracts import Drawing, Metric
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.records import Mask, Reference, Region, Shape


def intersection_over_union(intersection: int, region: int, reference: int) -> float:
    """The share of two areas' union that they have in common, from pixel counts."""
    return intersection / (region + reference - intersection)


def dice_coefficient(intersection: int, region: int, reference: int) -> float:
    """Twice the common area over the sum of both, from pixel counts."""
    return 2 * intersection / (region + reference)


def _iou(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float]:
    return (intersection_over_union(*_image_counts(drawing, reference)),)


def _dice(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float]:
    return (dice_coefficient(*_image_counts(drawing, reference)),)


def _lesion_iou(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float, ...]:
    return tuple(
        max(intersection_over_union(*_lesion_counts(region, mask)) for region in drawing.regions)
        for mask in reference.masks
    )


def _lesion_dice(drawing: Drawing, reference: Reference, _: Shape) -> tuple[float, ...]:
    return tuple(
        max(dice_coefficient(*_lesion_counts(region, mask)) for region in drawing.regions)
        for mask in reference.masks
    )


def _image_counts(drawing: Drawing, reference: Reference) -> tuple[int, int, int]:
    """Pixels in both, in the regions' union, in the instances' union."""
    truth: Mask = reduce(np.logical_or, reference.masks)
    return _count(drawing.mask & truth), _count(drawing.mask), _count(truth)


def _lesion_counts(region: Region, lesion: Mask) -> tuple[int, int, int]:
    """Pixels in both, in the region, in the lesion."""
    row, column = region.corner
    height, width = region.mask.shape
    under = lesion[row : row + height, column : column + width]
    return _count(region.mask & under), _count(region.mask), _count(lesion)


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


IOU = Metric(
    name="iou",
    title="IoU",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_iou,
)
"""All regions together against all instances together."""

DICE = Metric(
    name="dice",
    title="Dice",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_dice,
)
"""All regions together against all instances together."""

LESION_IOU = Metric(
    name="lesion_iou",
    title="IoU per lesion",
    against=frozenset({"mask"}),
    level="lesion",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_lesion_iou,
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
    score=_lesion_dice,
)
"""Each instance against the region that overlaps it best; one region may serve several."""

"""Boundary: IoU of the rims of drawing and reference (boundary IoU, Cheng et al. 2021).

In large lesions interior pixels dominate IoU, which then says little about shape; boundary IoU ignores them.
"""

from typing import TypeAlias

import numpy as np
from scipy.ndimage import minimum_filter1d

from pipeline.contracts import Metric, Scored, Side
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.metrics.windows import Window, common, window_of_side
from pipeline.records import Mask

WIDTH = 0.02
"""Width of a rim as a share of the image's diagonal, as published for whole images."""
Rim: TypeAlias = tuple[Mask, Window]
"""A rim in the window of the image that its mask fills; there is none outside."""


def boundary_intersection_over_union(one: Mask, other: Mask, *, width_px: int) -> float:
    """IoU of the pixels within `width_px` of each mask's own outline, inside the mask (eq. 2).

    Distances are chessboard distances, and pixels beyond the image count as outside, as in the authors'
    code. Neither mask may be empty.
    """
    return _iou_of_rims(*(_rim(Side(mask, ()), width_px=width_px) for mask in (one, other)))


def rim(mask: Mask, *, width_px: int) -> Mask:
    """The mask's pixels that are within `width_px` of a pixel outside it."""
    core = mask.view(np.uint8)
    for axis in range(mask.ndim):
        core = minimum_filter1d(core, 2 * width_px + 1, axis=axis, mode="constant", cval=0)
    return np.asarray(mask & (core == 0))


def _boundary_iou(scored: Scored) -> tuple[float]:
    width_px = max(round(WIDTH * float(np.hypot(*scored.shape))), 1)
    return (_iou_of_rims(*(side.once(_rim, width_px=width_px) for side in scored.sides)),)


def _iou_of_rims(first: Rim, second: Rim) -> float:
    (one, of_one), (other, of_other) = first, second
    both = common(of_one, of_other)
    shared = np.count_nonzero(_within(one, of_one, both) & _within(other, of_other, both))
    return float(shared / (np.count_nonzero(one) + np.count_nonzero(other) - shared))


def _rim(side: Side, *, width_px: int) -> Rim:
    """The rim of a side in the window that it fills."""
    window = side.once(window_of_side)
    return rim(side.mask[window], width_px=width_px), window


def _within(mask: Mask, filled: Window, window: Window) -> Mask:
    """The part of a mask, which fills one window of the image, that lies in another one inside it."""
    rows, columns = (
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(window, filled, strict=True)
    )
    return mask[rows, columns]


BOUNDARY_IOU = Metric(
    name="boundary_iou",
    title="Boundary IoU",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_boundary_iou,
)
"""Rims are 2 % of the image's diagonal wide; union of regions compared with union of instances."""

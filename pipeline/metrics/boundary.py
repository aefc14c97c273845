"""Boundary: IoU of the rims of drawing and reference (boundary IoU, Cheng et al. 2021).

In large lesions interior pixels dominate IoU, which then says little about shape; boundary IoU ignores them.
"""

import numpy as np
from scipy.ndimage import minimum_filter1d

from pipeline.contracts import Metric, Scored
from pipeline.metrics.emptiness import LOCALISATION
from pipeline.metrics.surface import window_of
from pipeline.records import Mask

WIDTH = 0.02
"""Width of a rim as a share of the image's diagonal, as published for whole images."""


def boundary_intersection_over_union(one: Mask, other: Mask, *, width_px: int) -> float:
    """IoU of the pixels within `width_px` of each mask's own outline, inside the mask (eq. 2).

    Distances are chessboard distances, and pixels beyond the image count as outside, as in the authors'
    code. Neither mask may be empty.
    """
    window = window_of(one | other)
    rims = [rim(mask[window], width_px=width_px) for mask in (one, other)]
    shared, joined = rims[0] & rims[1], rims[0] | rims[1]
    return float(np.count_nonzero(shared) / np.count_nonzero(joined))


def rim(mask: Mask, *, width_px: int) -> Mask:
    """The mask's pixels that are within `width_px` of a pixel outside it."""
    core = mask.view(np.uint8)
    for axis in range(mask.ndim):
        core = minimum_filter1d(core, 2 * width_px + 1, axis=axis, mode="constant", cval=0)
    return np.asarray(mask & (core == 0))


def _boundary_iou(scored: Scored) -> tuple[float]:
    width_px = max(round(WIDTH * float(np.hypot(*scored.shape))), 1)
    return (boundary_intersection_over_union(scored.drawing.mask, scored.truth, width_px=width_px),)


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

"""Drawing: the regions of a heatmap at or above a level, on the image's own grid.

Only positive relevance is drawn (Grad-CAM's ReLU, Selvaraju et al. 2017, eq. 2): negative cells become 0
before they are interpolated. Pixels that touch by an edge or a corner belong to one region (8-connected).
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes

from pipeline.contours import RULES
from pipeline.contours.flatness import is_flat
from pipeline.contours.outlines import MARGIN, folded_margin, outlines
from pipeline.contours.sampling import pixels_with_extremes, upper_bounds, window_reaching
from pipeline.errors import CaseError
from pipeline.geometry import resample_to_pixels
from pipeline.plateau import highest_pixel
from pipeline.records import Drawing, Heatmap, Intensity, Mask, Region, Shape

CONNECTIVITY = 8
CELLS_OF_SHORT_LABELS = 2**14
"""Largest map, in cells, whose components fit 16-bit labels, which are faster than 32-bit ones.

Each component contains the centre of at least one cell.
"""
LOWEST_LEVEL = float(np.finfo(np.float32).tiny)
"""Replaces a rule's level of 0 or less, so that regions contain positive relevance only."""


class _Component(NamedTuple):
    """A connected component at or above the level, with a margin around it."""

    corner: tuple[int, int]
    """(row, column) in the window of the top left pixel of its bounding box, without the margin."""
    mask: Mask
    placed: Intensity
    """Relevance on the image grid; below the level outside the component."""


def draw(
    heatmap: Heatmap,
    *,
    rule: str,
    threshold: float,
    minimum_area_px: int = 0,
    minimum_area_mm2: float = 0,
    spacing_mm: tuple[float, float] | None = None,
    outlined: bool = True,
    filled: bool = False,
) -> Drawing:
    """Regions, mask and peak of a heatmap; regions below a minimum area are dropped.

    `minimum_area_mm2` applies only if the spacing is known. `filled` fills the holes of regions. Without
    `outlined` the regions have masks but no outlines, which saves more than half of the time.

    Regions are sorted by their peak, highest first. The drawing's peak is a pixel with the highest value,
    chosen by `plateau.highest_pixel` if there are several. Raises CaseError("heatmap_not_finite") if the map
    contains NaN or infinity.
    """
    relevance = _positive(heatmap)
    placement = heatmap.placement
    if is_flat(relevance):  # tested on the cells: after resampling, a crop's edge would not be flat
        return closed_gate(heatmap)
    bounds = upper_bounds(relevance, placement)
    level, peak = _level_and_peak(heatmap, relevance, bounds, rule=rule, threshold=threshold)
    if level is None:
        return closed_gate(heatmap)
    window = window_reaching(bounds, level)
    if window is None:
        return replace(closed_gate(heatmap), peak=peak)
    placed = resample_to_pixels(relevance, placement, *window)
    components, dropped = _components(
        placed,
        level,
        minimum_px=_minimum_px(minimum_area_px, minimum_area_mm2, spacing_mm),
        label_type=cv2.CV_16U if relevance.size <= CELLS_OF_SHORT_LABELS else cv2.CV_32S,
    )
    origin = int(window[0][0]), int(window[1][0])
    regions = [
        _region(heatmap, component, origin, rule=rule, level=level, outlined=outlined, filled=filled)
        for component in components
    ]
    regions.sort(key=lambda region: region.peak, reverse=True)
    return Drawing(tuple(regions), _union(regions, placement.image_shape), peak, dropped, heatmap)


def closed_gate(heatmap: Heatmap) -> Drawing:
    """A drawing without regions, for a closed probability gate or a flat map; raises the errors of `draw`."""
    _check_finite(heatmap)
    return Drawing(regions=(), mask=_empty(heatmap.placement.image_shape), peak=None, heatmap=heatmap)


@lru_cache(maxsize=4)
def _empty(shape: Shape) -> Mask:
    """A read-only empty mask, cached per shape."""
    empty = np.zeros(shape, np.bool_)
    empty.flags.writeable = False
    return empty


def _check_finite(heatmap: Heatmap) -> None:
    if not np.isfinite(heatmap.relevance).all():
        raise CaseError("heatmap_not_finite", f"The heatmap of {heatmap.finding} holds NaN or infinity.")


def _positive(heatmap: Heatmap) -> Intensity:
    _check_finite(heatmap)
    return np.maximum(heatmap.relevance, np.float32(0)).astype(np.float32, copy=False)


def _level_and_peak(
    heatmap: Heatmap,
    relevance: Intensity,
    bounds: tuple[Intensity, Intensity],
    *,
    rule: str,
    threshold: float,
) -> tuple[float | None, tuple[int, int] | None]:
    """The level, rounded to float32, and (row, column) of the maximum; (None, None) for a flat map."""
    extremes_only = RULES[rule].reads == "extremes"
    pixels = (
        pixels_with_extremes(heatmap.placement)
        if extremes_only
        else tuple(np.arange(size) for size in heatmap.placement.image_shape)
    )
    sample = resample_to_pixels(relevance, heatmap.placement, *pixels)
    level = RULES[rule].level(sample, threshold)
    if level is None:
        return None, None
    if not np.isfinite(level):
        raise CaseError(
            "level_not_finite", f"The rule '{rule}' gave the level {level}, not a number; correct the rule."
        )
    window = window_reaching(bounds, float(sample.max()))
    assert window is not None
    placed = resample_to_pixels(relevance, heatmap.placement, *window)
    peak = highest_pixel(placed, heatmap.placement, corner=(int(window[0][0]), int(window[1][0])))
    return float(np.float32(max(level, LOWEST_LEVEL))), peak


def _minimum_px(area_px: float, area_mm2: float, spacing_mm: tuple[float, float] | None) -> float:
    return area_px if spacing_mm is None else max(area_px, area_mm2 / (spacing_mm[0] * spacing_mm[1]))


def _components(
    placed: Intensity, level: float, *, minimum_px: float, label_type: int
) -> tuple[list[_Component], int]:
    """The connected components that are large enough, and the number of those dropped as too small."""
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        np.pad((placed >= level).view(np.uint8), MARGIN), CONNECTIVITY, label_type, cv2.CCL_SPAGHETTI
    )
    padded = folded_margin(placed, level)
    components = []
    for label in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[label])
        if area >= minimum_px:
            crop = np.s_[top - MARGIN : top + height + MARGIN, left - MARGIN : left + width + MARGIN]
            mask = labels[crop] == label
            without_others = np.where(mask | (labels[crop] == 0), padded[crop], 0)
            components.append(_Component((top - MARGIN, left - MARGIN), mask, without_others))
    return components, count - 1 - len(components)


def _region(
    heatmap: Heatmap,
    component: _Component,
    origin: tuple[int, int],
    *,
    rule: str,
    level: float,
    outlined: bool,
    filled: bool,
) -> Region:
    row, column = origin[0] + component.corner[0], origin[1] + component.corner[1]
    lines = outlines(component.placed, component.mask, level) if outlined else ()
    mask = component.mask[MARGIN:-MARGIN, MARGIN:-MARGIN]
    from_margin = np.array([column - MARGIN, row - MARGIN], np.float32)
    return Region(
        case_id=heatmap.case_id,
        finding=heatmap.finding,
        method=heatmap.method,
        rule=rule,
        level=level,
        corner=(row, column),
        mask=binary_fill_holes(mask) if filled else mask,
        outlines=tuple(line + from_margin for line in (lines[:1] if filled else lines)),
        peak=float(component.placed.max()),
    )


def _union(regions: Iterable[Region], shape: Shape) -> Mask:
    mask = np.zeros(shape, np.bool_)
    for region in regions:
        row, column = region.corner
        height, width = region.mask.shape
        mask[row : row + height, column : column + width] |= region.mask
    return mask

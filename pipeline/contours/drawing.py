"""Drawing: a heatmap → the regions at or above a level, on the image's own grid.

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

from pipeline.contours import EXTREMES_SUFFICE, RULES
from pipeline.contours.flatness import is_flat
from pipeline.contours.outlines import MARGIN, folded_margin, outlines
from pipeline.contours.sampling import rows_with_extremes, window_reaching
from pipeline.contracts import Drawing
from pipeline.errors import CaseError
from pipeline.geometry import Pixels, place_on
from pipeline.records import Heatmap, Intensity, Mask, Region, Shape

CONNECTIVITY = 8
CELLS_OF_SHORT_LABELS = 2**14
"""Of a map whose components 16 bits can number, as each holds a cell's centre; short labels are faster."""
LOWEST_LEVEL = float(np.finfo(np.float32).tiny)
"""Where a rule's level is not above 0, the region is all positive relevance."""


class _Component(NamedTuple):
    """A connected part of the window above the level, with a margin around it."""

    corner: tuple[int, int]
    """(row, column) of its first pixel, the margin left out, in the window."""
    mask: Mask
    placed: Intensity
    """Below the level outside the component."""


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
    """What the network drew; a region must reach both minimum areas, that in mm² where the spacing is known.

    With `filled`, what a region encloses belongs to it. Outlines take more than half of the time: without
    `outlined` the regions have masks alone.

    Regions are sorted by their peak, the highest first. The drawing's peak is the middle of the first
    maximum in row-major order. A map that is not finite is a CaseError("heatmap_not_finite").
    """
    relevance = _positive(heatmap)
    placement = heatmap.placement
    if is_flat(relevance):  # also where the view is a part of the image and its edge would stand out
        return closed_gate(heatmap)
    level, peak = _level_and_peak(heatmap, relevance, rule=rule, threshold=threshold)
    if level is None:
        return closed_gate(heatmap)
    window = window_reaching(relevance, placement, level)
    if window is None:
        return replace(closed_gate(heatmap), peak=peak)
    placed = place_on(relevance, placement, *window)
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
    """Nothing drawn: the probability gate is closed, or the map is flat. Refuses what `draw` refuses."""
    _check_finite(heatmap)
    return Drawing(regions=(), mask=_empty(heatmap.placement.image_shape), peak=None, heatmap=heatmap)


@lru_cache(maxsize=4)
def _empty(shape: Shape) -> Mask:
    """One read-only mask a shape."""
    empty = np.zeros(shape, np.bool_)
    empty.flags.writeable = False
    return empty


def _check_finite(heatmap: Heatmap) -> None:
    if not np.isfinite(heatmap.relevance).all():
        raise CaseError("heatmap_not_finite", f"the heatmap of {heatmap.finding} holds NaN or infinity")


def _positive(heatmap: Heatmap) -> Intensity:
    _check_finite(heatmap)
    return np.maximum(heatmap.relevance, np.float32(0)).astype(np.float32, copy=False)


def _level_and_peak(
    heatmap: Heatmap, relevance: Intensity, *, rule: str, threshold: float
) -> tuple[float | None, tuple[int, int] | None]:
    """The level, as float32 has it, and the (row, column) of the maximum; None, None for a flat map."""
    pixel_rows, pixel_columns = heatmap.placement.image_shape
    apply = RULES[rule]
    suffices = rule in EXTREMES_SUFFICE
    rows = rows_with_extremes(relevance, heatmap.placement) if suffices else np.arange(pixel_rows)
    sample = place_on(relevance, heatmap.placement, rows, np.arange(pixel_columns))
    level = apply(sample, threshold)
    if level is None:
        return None, None
    return float(np.float32(max(level, LOWEST_LEVEL))), _peak(sample, rows)


def _peak(sample: Intensity, rows: Pixels) -> tuple[int, int]:
    """(row, column) in the middle of the first maximum.

    Beyond the centres of its outermost cells the map is flat; the first pixel there is the image's very edge.
    """
    row, column = (int(i) for i in np.unravel_index(sample.argmax(), sample.shape))
    last_row = row + _run(sample[row:, column]) - 1
    last_column = column + _run(sample[row, column:]) - 1
    return (int(rows[row]) + int(rows[last_row])) // 2, (column + last_column) // 2


def _run(values: Intensity) -> int:
    """How many values from the first on are equal to it."""
    other = np.flatnonzero(values != values[0])
    return int(other[0]) if other.size else values.size


def _minimum_px(area_px: float, area_mm2: float, spacing_mm: tuple[float, float] | None) -> float:
    return area_px if spacing_mm is None else max(area_px, area_mm2 / (spacing_mm[0] * spacing_mm[1]))


def _components(
    placed: Intensity, level: float, *, minimum_px: float, label_type: int
) -> tuple[list[_Component], int]:
    """The connected parts of `placed` that are large enough, and the number of those that are not."""
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        np.pad((placed >= level).view(np.uint8), MARGIN), CONNECTIVITY, label_type, cv2.CCL_SPAGHETTI
    )
    padded = folded_margin(placed, level)
    components = []
    for label in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[label])
        if area >= minimum_px:
            around = np.s_[top - MARGIN : top + height + MARGIN, left - MARGIN : left + width + MARGIN]
            mask = labels[around] == label
            alone = np.where(mask | (labels[around] == 0), padded[around], 0)
            components.append(_Component((top - MARGIN, left - MARGIN), mask, alone))
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
        threshold=level,
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

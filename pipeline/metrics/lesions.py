"""Lesions: how well each contour of a drawing fits each lesion of a reference, and which ones match."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from pipeline.contracts import Scored
from pipeline.metrics.boxes import box_intersection_over_union
from pipeline.metrics.centroid import centroid
from pipeline.metrics.hit import holds
from pipeline.metrics.matching import Assignment, Matches, match_contours
from pipeline.metrics.overlap import intersection_over_union, lesion_areas
from pipeline.metrics.windows import window_of
from pipeline.plateau import highest_pixel
from pipeline.records import Box, Candidates, Mask, Point, Region, Values

Criterion: TypeAlias = Literal["iou", "box_iou", "centre_hit", "point_in_mask"]
"""How well a contour fits a lesion: the IoU of both (of boxes if the lesion is a box), the IoU of their
bounding boxes, whether the contour's centroid lies in the lesion, or whether its highest pixel does."""
CRITERIA: Final[tuple[Criterion, ...]] = get_args(Criterion)


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule by which a contour matches a lesion."""

    criterion: Criterion = "iou"
    threshold: float = 0.1
    """Lowest IoU of a match, for the criteria iou and box_iou; the others are 1 (hit) or 0."""
    assignment: Assignment = "greedy"

    @property
    def least(self) -> float:
        """The lowest affinity of a match."""
        return self.threshold if self.criterion in {"iou", "box_iou"} else 1.0


def candidates(scored: Scored, *, method: str, scores: Sequence[float]) -> Candidates:
    """Scores of all contours and their affinity with all lesions; `scores` come from `contour_scores`."""
    reference = scored.reference
    (rows, columns), spacing_mm = scored.shape, scored.spacing_mm
    areas = _areas_px(scored)
    return Candidates(
        case_id=reference.case_id,
        finding=reference.finding,
        reader=reference.reader,
        method=method,
        kind=reference.kind,
        lesions=reference.lesions,
        scores=tuple(scores),
        affinity={name: tuple(map(tuple, table.tolist())) for name, table in _affinity(scored).items()},
        shares=tuple(area / (rows * columns) for area in areas),
        areas_mm2=tuple(area * spacing_mm[0] * spacing_mm[1] for area in areas) if spacing_mm else (),
    )


def _areas_px(scored: Scored) -> list[float]:
    """The area of each lesion in pixels; points have none."""
    reference = scored.reference
    if reference.kind == "box":
        return [box.width * box.height for box in reference.boxes]
    return [float(area) for area in lesion_areas(scored).truth.ravel()] if reference.masks else []


def _affinity(scored: Scored) -> dict[Criterion, Values]:
    """Criterion → affinity, 0 … 1, of each contour (row) with each lesion (column).

    If the lesions are points, every criterion is whether the contour covers the point.
    """
    reference, regions = scored.reference, scored.drawing.regions
    if not reference.lesions or not regions:
        return dict.fromkeys(CRITERIA, np.zeros((len(regions), reference.lesions)))
    if reference.kind == "point":
        return dict.fromkeys(CRITERIA, _covered(regions, reference.points))
    centres = [_centre(region) for region in regions]
    points = [_highest_pixel(region, scored) for region in regions]
    boxes = _box_overlaps(regions, reference.boxes or tuple(_bounding_box(mask) for mask in reference.masks))
    return {
        "iou": boxes if reference.kind == "box" else intersection_over_union(lesion_areas(scored)),
        "box_iou": boxes,
        "centre_hit": _inside(centres, reference.masks, reference.boxes),
        "point_in_mask": _inside(points, reference.masks, reference.boxes),
    }


def contour_scores(
    regions: Sequence[Region], *, unit: Literal["logit", "relative"], probability: float
) -> tuple[float, ...]:
    """The network's confidence in each contour, comparable between images.

    For maps in logits it is the contour's peak. Relative maps are scaled per image, so for them it is the
    finding's probability times the contour's peak, as a share of the highest peak.
    """
    peaks = [region.peak for region in regions]
    return tuple(peaks if unit == "logit" else (probability * peak / max(peaks) for peak in peaks))


def matches(record: Candidates, rule: Rule) -> Matches:
    """The number, from 1, of the lesion that each contour matches; None for a false positive."""
    affinity = np.array(record.affinity[rule.criterion]).reshape(len(record.scores), record.lesions)
    return match_contours(affinity, record.scores, threshold=rule.least, assignment=rule.assignment)


def _covered(regions: Sequence[Region], points: Sequence[Point]) -> Values:
    """1 if the region (row) covers the pixel of the point (column), else 0."""
    inside = [[_covers(region, round(point.y), round(point.x)) for point in points] for region in regions]
    return np.array(inside, np.float64).reshape(len(regions), len(points))


def _covers(region: Region, row: int, column: int) -> bool:
    top, left = region.corner
    height, width = region.mask.shape
    within = top <= row < top + height and left <= column < left + width
    return within and bool(region.mask[row - top, column - left])


def _centre(region: Region) -> tuple[float, float]:
    """(row, column) of the centroid in the image."""
    row, column = centroid(region.mask) + region.corner
    return float(row), float(column)


def _highest_pixel(region: Region, scored: Scored) -> tuple[float, float]:
    """(row, column) of the region's highest pixel; without a map, of its centroid."""
    heatmap, relevance = scored.drawing.heatmap, scored.relevance
    if heatmap is None or relevance is None:
        return _centre(region)
    (top, left), (rows, columns) = region.corner, region.mask.shape
    placed = relevance[top : top + rows, left : left + columns]
    return highest_pixel(placed, heatmap.placement, corner=region.corner, within=region.mask)


def _bounding_box(mask: Mask) -> Box:
    """The bounding box, from edge to edge of the outermost pixels."""
    rows, columns = window_of(mask)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    return Box(x=columns.start - 0.5, y=rows.start - 0.5, width=float(width), height=float(height))


def _box_overlaps(regions: Sequence[Region], boxes: Sequence[Box]) -> Values:
    overlaps = [[box_intersection_over_union(region.box, box) for box in boxes] for region in regions]
    return np.array(overlaps).reshape(len(regions), len(boxes))


def _inside(points: Sequence[tuple[float, float]], masks: Sequence[Mask], boxes: Sequence[Box]) -> Values:
    hits = [
        [
            *(mask[round(row), round(column)] for mask in masks),
            *(holds(box, x=column, y=row) for box in boxes),
        ]
        for row, column in points
    ]
    return np.array(hits, np.float64).reshape(len(points), len(masks) + len(boxes))

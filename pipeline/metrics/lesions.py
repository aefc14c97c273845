"""Lesions: every contour of a drawing beside every lesion of a reference, before anything is matched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pipeline.contracts import Scored
from pipeline.metrics.bootstrap import Values
from pipeline.metrics.boxes import box_intersection_over_union
from pipeline.metrics.centroid import centroid
from pipeline.metrics.hit import holds
from pipeline.metrics.matching import Assignment, Matches, matched
from pipeline.metrics.overlap import intersection_over_union, lesion_areas
from pipeline.metrics.surface import window_of
from pipeline.records import Box, Candidates, Intensity, Mask, Region

Criterion: TypeAlias = Literal["iou", "box_iou", "centre_hit", "point_in_mask"]
"""What makes a contour a candidate for a lesion: the IoU of both (where the lesion is a box, of boxes), the
IoU of their bounding boxes, the contour's centroid inside the lesion, or its highest pixel inside it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a contour counts as the finding of a lesion."""

    criterion: Criterion = "iou"
    threshold: float = 0.1
    """Of the two criteria that are an IoU; a hit is 1, no hit 0."""
    assignment: Assignment = "greedy"


def candidates(scored: Scored, *, method: str, scores: Sequence[float]) -> Candidates:
    """The record from which lesions are matched and counted; `scores` are as `contour_scores` gives them."""
    reference, regions = scored.reference, scored.drawing.regions
    centres = [_centre(region) for region in regions]
    points = [_highest(region, scored.relevance) for region in regions]
    boxes = _box_overlaps(regions, reference.boxes or tuple(_around(mask) for mask in reference.masks))
    affinity = {
        "iou": intersection_over_union(lesion_areas(scored)) if reference.kind == "mask" else boxes,
        "box_iou": boxes,
        "centre_hit": _inside(centres, reference.masks, reference.boxes),
        "point_in_mask": _inside(points, reference.masks, reference.boxes),
    }
    return Candidates(
        case_id=reference.case_id,
        finding=reference.finding,
        reader=reference.reader,
        method=method,
        kind=reference.kind,
        lesions=len(reference.masks) + len(reference.boxes),
        scores=tuple(scores),
        affinity={name: tuple(map(tuple, table.tolist())) for name, table in affinity.items()},
    )


def contour_scores(
    regions: Sequence[Region], *, unit: Literal["logit", "relative"], probability: float
) -> tuple[float, ...]:
    """How sure the network is of each contour, comparable between images.

    In logits it is the contour's peak. The scale of a relative map is its own image's: there it is the
    finding's probability times the contour's share of the highest peak.
    """
    peaks = [region.peak for region in regions]
    return tuple(peaks if unit == "logit" else (probability * peak / max(peaks) for peak in peaks))


def matches(found: Candidates, rule: Rule) -> Matches:
    """The number of the lesion that each contour found, from 1, or None: a false positive."""
    affinity = np.array(found.affinity[rule.criterion]).reshape(len(found.scores), found.lesions)
    threshold = rule.threshold if rule.criterion in {"iou", "box_iou"} else 1.0
    return matched(affinity, found.scores, threshold=threshold, assignment=rule.assignment)


def unmatched_lesions(found: Candidates, rule: Rule) -> tuple[int, ...]:
    """The numbers of the lesions, from 1, that no contour found."""
    return tuple(sorted(set(range(1, found.lesions + 1)) - set(matches(found, rule))))


def unmatched_contours(found: Candidates, rule: Rule) -> tuple[int, ...]:
    """The numbers of the contours, from 1, that found no lesion; on a healthy image these are all."""
    return tuple(number for number, lesion in enumerate(matches(found, rule), start=1) if lesion is None)


def _centre(region: Region) -> tuple[float, float]:
    """(row, column) of the centroid in the image."""
    row, column = centroid(region.mask) + region.corner
    return float(row), float(column)


def _highest(region: Region, relevance: Intensity | None) -> tuple[float, float]:
    """(row, column) of the region's highest pixel, the first of equals; without a map, of its centroid."""
    if relevance is None:
        return _centre(region)
    (top, left), (rows, columns) = region.corner, region.mask.shape
    placed = relevance[top : top + rows, left : left + columns]
    row, column = np.unravel_index(np.where(region.mask, placed, -np.inf).argmax(), placed.shape)
    return float(row + top), float(column + left)


def _around(mask: Mask) -> Box:
    """The bounding box, edge to edge of the outermost pixels."""
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

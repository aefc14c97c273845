"""Readers: agreement between readers of the same image, scored with the network's metrics.

Each reader's masks are scored against other readers as if the network had drawn them. The mean of these
scores is the inter-reader agreement with which the network's own score is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations

import cv2
import numpy as np

from pipeline.contracts import Scored, Side, side_of_reference
from pipeline.geometry import box_pixels
from pipeline.metrics import DEFAULT, METRICS
from pipeline.metrics.scoring import check_shapes, scores_of
from pipeline.metrics.windows import Window, window_around
from pipeline.records import (
    Box,
    Caution,
    Drawing,
    Mask,
    Point,
    Reference,
    Region,
    Score,
    Shape,
    Tolerances,
    scored_as,
)
from pipeline.records.names import READER_START

NEIGHBOURS = 50
"""Readers to the left and to the right, on a circle of all readers of a finding, who are one's partners.

All pairs of 400 readers are 159,600 comparisons of one image; this many partners make the work grow with the
number of readers. On a circle everybody is scored, and is taken as truth, equally often.
"""
MOST_READERS = 2 * NEIGHBOURS + 1
"""Up to so many readers of a finding on an image, each is scored against every other one."""
READERS_SAMPLED = "readers_sampled"
"""Reason of a caution: the agreement between the readers of a finding is that of a sample of pairs."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reader's annotation as both sides of a comparison."""

    place: int
    """Its place among all references of the image."""
    reference: Reference
    drawing: Drawing
    side: Side


def score_readers(
    references: Iterable[Reference],
    *,
    shape: Shape,
    spacing_mm: tuple[float, float] | None = None,
    metrics: Sequence[str] = DEFAULT,
    tolerances: Tolerances = Tolerances(),  # noqa: B008  frozen
) -> list[Score]:
    """Scores of each reader of a finding against each other reader; of many readers, against `NEIGHBOURS`.

    `method` names the reader who is scored, `reader` the one who is taken as truth. Readers have no map, so
    metrics that read one have no row; a reader's peak is the `deepest_pixel`. Masks are compared with masks,
    boxes with boxes and points with points. Raises CaseError("mask_size") as `score_drawing` does.
    """
    without_map = [name for name in metrics if METRICS[name].reads != "map"]
    found: dict[tuple[int, int], list[Score]] = {}
    for group in _groups(references):
        readings = [_reading(place, reference, shape) for place, reference in group]
        for pair in _pairs(readings):
            for one, truth in (pair, pair[::-1]):  # one after the other: they share what is symmetric
                known = (one.side, truth.side)
                scored = Scored(one.drawing, truth.reference, spacing_mm, tolerances, known)
                method = READER_START + one.reference.reader
                found[one.place, truth.place] = scores_of(scored, method=method, metrics=without_map)
    return [score for pair in sorted(found) for score in found[pair]]


def sampling_cautions(references: Iterable[Reference]) -> Iterator[Caution]:
    """A caution for each finding with more readers than `MOST_READERS`."""
    for group in _groups(references):
        if len(group) > MOST_READERS:
            yield Caution(
                READERS_SAMPLED,
                f"{len(group)} readers annotated one finding, so that each is scored against "
                f"{2 * NEIGHBOURS} others, not against all: the readers' agreement is that of this sample",
            )


def _groups(references: Iterable[Reference]) -> list[list[tuple[int, Reference]]]:
    """The references that are compared with each other, with their places; at least two each."""
    groups: dict[tuple[str, str], list[tuple[int, Reference]]] = {}
    for place, reference in enumerate(references):
        groups.setdefault((reference.finding, scored_as(reference.kind)), []).append((place, reference))
    return [group for group in groups.values() if len(group) > 1]


def _pairs(readings: Sequence[_Reading]) -> Iterator[tuple[_Reading, _Reading]]:
    """The pairs of different readers that are scored."""
    for one, other in combinations(readings, 2) if len(readings) <= MOST_READERS else _neighbours(readings):
        if one.reference.reader != other.reference.reader:
            yield one, other


def _neighbours(readings: Sequence[_Reading]) -> Iterator[tuple[_Reading, _Reading]]:
    """Each reading with the next `NEIGHBOURS` on a circle, whose order is the same in all runs."""
    order = sorted(range(len(readings)), key=lambda place: sha256(f"reader {place}".encode()).digest())
    circle = [readings[place] for place in order]  # shuffled, because names may stand in groups
    for place, one in enumerate(circle):
        for step in range(1, NEIGHBOURS + 1):
            yield one, circle[(place + step) % len(circle)]


def _reading(place: int, reference: Reference, shape: Shape) -> _Reading:
    check_shapes(reference.masks, shape, of="reference mask")
    side, drawing = side_of_reference(reference, shape), as_drawing(reference, shape)
    if not reference.boxes:
        drawing = replace(drawing, mask=side.mask)  # the same array, so that one side serves as both
    return _Reading(place, reference, drawing, side)


def as_drawing(reference: Reference, shape: Shape) -> Drawing:
    """The reference as a drawing: one region per instance, boxes filled to whole pixels."""
    regions = (
        *(_region(reference, window_around(mask), mask) for mask in reference.masks),
        *(_region(reference, _pixels(box, shape), drawn=box) for box in reference.boxes),
    )
    union = np.zeros(shape, np.bool_)
    for region in regions:
        (top, left), (height, width) = region.corner, region.mask.shape
        union[top : top + height, left : left + width] |= region.mask
    return Drawing(regions, union, peak=_first_pixel(reference.points, shape) or deepest_pixel(regions))


def _first_pixel(points: Sequence[Point], shape: Shape) -> tuple[int, int] | None:
    """The pixel (row, column) of the first point; None without points."""
    if not points:
        return None
    row, column = round(points[0].y), round(points[0].x)
    return min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)


def deepest_pixel(regions: Sequence[Region]) -> tuple[int, int] | None:
    """The pixel (row, column) of the largest region that is farthest from its edge; None without regions.

    What lies beyond the region's window is outside, and no farther than the pixels just beyond it.
    """
    if not regions:
        return None
    largest = max(regions, key=lambda region: np.count_nonzero(region.mask))
    inside = np.pad(largest.mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row) - 1 + largest.corner[0], int(column) - 1 + largest.corner[1]


def _region(
    reference: Reference, window: Window, mask: Mask | None = None, *, drawn: Box | None = None
) -> Region:
    """The region of an instance in its window: the mask's part there, or all pixels of a box."""
    rows, columns = window
    size = rows.stop - rows.start, columns.stop - columns.start
    return Region(
        case_id=reference.case_id,
        finding=reference.finding,
        method=READER_START + reference.reader,
        rule="",
        level=0.0,
        corner=(rows.start, columns.start),
        mask=np.ones(size, np.bool_) if mask is None else mask[window],
        outlines=(),
        peak=1.0,
        drawn=drawn,
    )


def _pixels(box: Box, shape: Shape) -> Window:
    """The window of the pixels whose centres are in the box; at least one pixel."""
    rows, columns = map(_at_least_one, box_pixels(box, shape), shape)
    return rows, columns


def _at_least_one(pixels: slice, size: int) -> slice:
    """The pixels of one axis; if there are none, the first one after the box's start, or the last one."""
    first = min(pixels.start, size - 1)
    return slice(first, max(pixels.stop, first + 1))

"""Readers: agreement between readers of the same image, scored with the network's metrics.

Each reader's masks are scored against every other reader as if the network had drawn them. The mean of these
scores is the inter-reader agreement with which the network's own score is compared.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations

import cv2
import numpy as np

from pipeline.geometry import box_pixels
from pipeline.metrics import DEFAULT, METRICS
from pipeline.metrics.scoring import score_drawing
from pipeline.metrics.surface import window_of
from pipeline.records import Box, Drawing, Mask, Point, Reference, Region, Score, Shape, Tolerances, scored_as
from pipeline.records.names import READER_START


def score_readers(
    references: Iterable[Reference],
    *,
    shape: Shape,
    spacing_mm: tuple[float, float] | None = None,
    metrics: Sequence[str] = DEFAULT,
    tolerances: Tolerances = Tolerances(),  # noqa: B008  frozen
) -> list[Score]:
    """Scores of each reader of a finding against each other reader.

    `method` names the reader who is scored, `reader` the one who is taken as truth. Readers have no map, so
    metrics that read one have no row; a reader's peak is the `deepest_pixel`. Masks are compared with masks,
    boxes with boxes and points with points.
    """
    without_map = [name for name in metrics if METRICS[name].reads != "map"]
    return [
        score
        for one, truth in permutations(references, 2)
        if one.finding == truth.finding
        and scored_as(one.kind) == scored_as(truth.kind)
        and one.reader != truth.reader
        for score in score_drawing(
            as_drawing(one, shape),
            truth,
            method=READER_START + one.reader,
            shape=shape,
            spacing_mm=spacing_mm,
            metrics=without_map,
            tolerances=tolerances,
        )
    ]


def as_drawing(reference: Reference, shape: Shape) -> Drawing:
    """The reference as a drawing: one region per instance, boxes filled to whole pixels."""
    instances = [
        *((mask, None) for mask in reference.masks),
        *((_filled(box, shape), box) for box in reference.boxes),
    ]
    masks = [mask for mask, _ in instances]
    union = np.logical_or.reduce([np.zeros(shape, np.bool_), *masks])
    regions = tuple(_region(reference, mask, box) for mask, box in instances)
    return Drawing(regions, union, peak=_first_pixel(reference.points, shape) or deepest_pixel(masks))


def _first_pixel(points: Sequence[Point], shape: Shape) -> tuple[int, int] | None:
    """The pixel (row, column) of the first point; None without points."""
    if not points:
        return None
    row, column = round(points[0].y), round(points[0].x)
    return min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)


def deepest_pixel(masks: Sequence[Mask]) -> tuple[int, int] | None:
    """The pixel (row, column) of the largest mask that is farthest from its edge; None without masks."""
    if not masks:
        return None
    largest = np.pad(max(masks, key=np.count_nonzero), 1).astype(np.uint8)
    depth = cv2.distanceTransform(largest, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return int(row) - 1, int(column) - 1


def _region(reference: Reference, mask: Mask, box: Box | None) -> Region:
    rows, columns = window_of(mask)
    return Region(
        case_id=reference.case_id,
        finding=reference.finding,
        method=READER_START + reference.reader,
        rule="",
        level=0.0,
        corner=(rows.start, columns.start),
        mask=mask[rows, columns],
        outlines=(),
        peak=1.0,
        drawn=box,
    )


def _filled(box: Box, shape: Shape) -> Mask:
    """A mask of the pixels whose centres are in the box; at least one pixel."""
    mask = np.zeros(shape, np.bool_)
    rows, columns = map(_at_least_one, box_pixels(box, shape), shape)
    mask[rows, columns] = True
    return mask


def _at_least_one(pixels: slice, size: int) -> slice:
    """The pixels of one axis; if there are none, the first one after the box's start, or the last one."""
    first = min(pixels.start, size - 1)
    return slice(first, max(pixels.stop, first + 1))

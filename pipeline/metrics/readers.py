"""Readers: where several drew the same image, how well they agree, scored as the network is.

A reader is scored as if the masks were a drawing of the network's, by the same metrics and policies, against
every other reader. So their mean is the height that the network's own score can be held against.
"""

from collections.abc import Iterable, Sequence
from itertools import permutations

import cv2
import numpy as np

from pipeline.contracts import Drawing, Tolerances
from pipeline.metrics import DEFAULT, METRICS
from pipeline.metrics.scoring import score_drawing
from pipeline.metrics.surface import window_of
from pipeline.names import READER_START
from pipeline.records import Box, Mask, Reference, Region, Score, Shape


def score_readers(
    references: Iterable[Reference],
    *,
    shape: Shape,
    spacing_mm: tuple[float, float] | None = None,
    metrics: Sequence[str] = DEFAULT,
    tolerances: Tolerances = Tolerances(),  # noqa: B008  frozen
) -> list[Score]:
    """Each reader of a finding against each other one: the method names the scored, `reader` the truth.

    Readers drew no map, so metrics that read it have no row; they point where `pointed` says. Masks are held
    against masks, boxes against boxes.
    """
    without_map = [name for name in metrics if METRICS[name].reads != "map"]
    return [
        score
        for one, truth in permutations(references, 2)
        if one.finding == truth.finding and one.kind == truth.kind and one.reader != truth.reader
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
    """The reference as if the network had drawn it: an instance a region, a box filled to whole pixels."""
    drawn = [
        *((mask, None) for mask in reference.masks),
        *((_filled(box, shape), box) for box in reference.boxes),
    ]
    masks = [mask for mask, _ in drawn]
    together = np.logical_or.reduce([np.zeros(shape, np.bool_), *masks])
    return Drawing(tuple(_region(reference, *of) for of in drawn), together, peak=pointed(masks))


def pointed(masks: Sequence[Mask]) -> tuple[int, int] | None:
    """Where a reader points: the pixel of the largest mask that is farthest from its edge; None without."""
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
        threshold=0.0,
        corner=(rows.start, columns.start),
        mask=mask[rows, columns],
        outlines=(),
        peak=1.0,
        drawn=box,
    )


def _filled(box: Box, shape: Shape) -> Mask:
    """The pixels whose centres are in the box, at least one."""
    mask = np.zeros(shape, np.bool_)
    rows, columns = (
        slice(first, max(last, first + 1))
        for first, last in (
            _pixels(box.y, box.height, shape[0]),
            _pixels(box.x, box.width, shape[1]),
        )
    )
    mask[rows, columns] = True
    return mask


def _pixels(start: float, length: float, size: int) -> tuple[int, int]:
    """The first pixel with its centre at or behind `start`, and the first behind `start + length`."""
    first = min(max(int(np.ceil(start)), 0), size - 1)
    return first, min(int(np.floor(start + length)) + 1, size)

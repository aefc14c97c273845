"""Plateau: one pixel that stands for all pixels with the highest value."""

import cv2
import numpy as np

from pipeline.geometry import Pixels
from pipeline.records import Intensity, Mask, Placement, Values

CONNECTIVITY = 8


def highest_pixel(
    values: Intensity, placement: Placement, *, corner: tuple[int, int], within: Mask | None = None
) -> tuple[int, int]:
    """(row, column) on the image of the highest of `values`, part of a resampled map that begins at `corner`.

    `placement` is that of the map's cells, and `within` the pixels that count. Of several pixels, those
    count that are nearest to the area between the centres of the outermost cells, because beyond it the map
    is constant only by convention; of these, the `middle_of_plateau`.
    """
    highest = (values if within is None else values[within]).max()
    maximal = values == highest if within is None else within & (values == highest)
    rows, columns = np.nonzero(maximal)
    beyond = _beyond(placement, 0, rows + corner[0]) ** 2 + _beyond(placement, 1, columns + corner[1]) ** 2
    nearest = beyond == beyond.min()
    row, column = _middle(rows[nearest], columns[nearest])
    return row + corner[0], column + corner[1]


def _beyond(placement: Placement, axis: int, pixels: Pixels) -> Values:
    """Distance of pixels from the span of the cells' centres along one axis, in cells."""
    position = (pixels - placement.offset[axis]) / placement.scale[axis]
    beyond: Values = np.maximum(np.maximum(-position, position - (placement.model_shape[axis] - 1)), 0.0)
    return beyond


def middle_of_plateau(maximal: Mask) -> tuple[int, int]:
    """(row, column) of the pixel in `maximal` that is nearest to the centroid of its largest component.

    Components touch by edges or corners. Of equally large components, and of equally near pixels, it is the
    first in row-major order. At least one pixel must be in `maximal`.
    """
    return _middle(*np.nonzero(maximal))


def _middle(rows: Pixels, columns: Pixels) -> tuple[int, int]:
    """`middle_of_plateau` of pixels in row-major order."""
    if rows.size > 1:
        largest = _of_largest_component(rows - rows.min(), columns - columns.min())
        rows, columns = rows[largest], columns[largest]
    from_centroid = (rows - rows.sum() / rows.size) ** 2 + (columns - columns.sum() / columns.size) ** 2
    nearest = from_centroid.argmin()
    return int(rows[nearest]), int(columns[nearest])


def _of_largest_component(rows: Pixels, columns: Pixels) -> Mask:
    """Whether each pixel is in the largest component."""
    maximal = np.zeros((rows.max() + 1, columns.max() + 1), np.uint8)
    maximal[rows, columns] = 1
    _, labels, stats, _ = cv2.connectedComponentsWithStats(maximal, connectivity=CONNECTIVITY)
    label = labels[rows, columns]
    areas = stats[label, cv2.CC_STAT_AREA]
    return np.asarray(label == label[areas.argmax()])

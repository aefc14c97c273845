"""Drawings and references of a few pixels, for tests."""

from dataclasses import replace

import numpy as np

from pipeline.contracts import Scored, Undefined
from pipeline.geometry import whole
from pipeline.metrics import METRICS
from pipeline.records import Box, Drawing, Heatmap, Intensity, Mask, Reference, Region, Shape

MILLIMETRE = (1.0, 1.0)
"""(down, across) in mm: pixels of 1 mm."""


def mask(*rows: str) -> Mask:
    """True where there is a '#'."""
    return np.array([[sign == "#" for sign in row] for row in rows])


def region(pixels: Mask, peak: float = 1.0) -> Region:
    """One region with these pixels, without outlines."""
    rows, columns = np.nonzero(pixels)
    top, left = int(rows.min()), int(columns.min())
    inside = pixels[top : rows.max() + 1, left : columns.max() + 1]
    return Region("case", "nodule", "gradcam", "fraction", 0.6, (top, left), inside, (), peak)


def drawing(*regions: Mask, peak: tuple[int, int] | None = None) -> Drawing:
    """One region per mask; the peak is the first pixel of the first region unless it is given."""
    first = np.argwhere(regions[0])[0]
    return Drawing(
        regions=tuple(map(region, regions)),
        mask=np.logical_or.reduce(regions),
        peak=peak or (int(first[0]), int(first[1])),
    )


def nothing_drawn(shape: Shape) -> Drawing:
    return Drawing((), np.zeros(shape, np.bool_), None)


def of_map(relevance: object, drawn: Drawing | None = None) -> Drawing:
    """A drawing with a map of one cell per pixel, and without regions unless `drawn` is given."""
    cells: Intensity = np.array(relevance, np.float32)
    rows, columns = cells.shape
    heatmap = Heatmap("case", "nodule", "gradcam", cells, "logit", whole((rows, columns)))
    return replace(drawn or nothing_drawn((rows, columns)), heatmap=heatmap)


def values(
    metric: str,
    drawn: Drawing,
    reference: Reference,
    *,
    spacing_mm: tuple[float, float] | None = None,
) -> tuple[float | Undefined, ...]:
    """The metric's scores, one per image or one per lesion."""
    return METRICS[metric].score(Scored(drawn, reference, spacing_mm))


def masks(*instances: Mask) -> Reference:
    """A reader's masks; without any, the finding is absent."""
    return Reference("case", "nodule", "reader1", "mask", masks=instances)


def boxes(*found: Box) -> Reference:
    """A reader's boxes; without any, the finding is absent."""
    return Reference("case", "nodule", "reader1", "box", boxes=found)

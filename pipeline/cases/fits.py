"""Fits of one case: each output's map against the references of every finding, and its own transformed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np

from pipeline.baselines.grid import occupancy
from pipeline.contours.flatness import is_flat
from pipeline.geometry import Pixels, resample_to_pixels
from pipeline.metrics.transforms import GRID, TRANSFORMS, fit, highest_cell, ranks
from pipeline.records import Fit, Heatmap, Intensity, Placement, Reference, Shape, Values

DECIMALS = 4


def fits_of(heatmaps: Sequence[Heatmap], references: Sequence[Reference], shape: Shape) -> Iterator[Fit]:
    """The fits of the first method's maps, whatever the gate says; none without masks or boxes.

    Flat maps, and contours without a map, have none.
    """
    occupied = [
        (reference, grid) for reference in references if (grid := _grid(reference, shape)) is not None
    ]
    if not occupied:
        return
    first = next((heatmap.method for heatmap in heatmaps), "")
    of_outputs = {h.finding: ranks_of(h) for h in heatmaps if h.method == first and not _is_empty(h)}
    for reference, grid in occupied:
        yield from _fits(reference, grid, of_outputs, first)


def ranks_of(heatmap: Heatmap) -> Values:
    """The ranks of the map at the centres of the cells of `transforms.GRID`."""
    return ranks(*sampled(heatmap))


def sampled(heatmap: Heatmap) -> tuple[Intensity, Intensity]:
    """Signed relevance at the centres of the cells of `transforms.GRID`, and above 0 what the network saw."""
    placement = heatmap.placement
    return resample_to_pixels(heatmap.relevance, placement, *_pixels(placement)), _seen(placement)


def _pixels(placement: Placement) -> tuple[Pixels, Pixels]:
    rows, columns = (
        ((np.arange(cells) + 0.5) * size / cells).astype(np.intp)
        for cells, size in zip(GRID, placement.image_shape, strict=True)
    )
    return rows, columns


@lru_cache(maxsize=4)  # all maps of a layer are placed in the same way
def _seen(placement: Placement) -> Intensity:
    return resample_to_pixels(np.ones(placement.model_shape, np.float32), placement, *_pixels(placement))


def _is_empty(heatmap: Heatmap) -> bool:
    return heatmap.unit == "contour" or is_flat(np.maximum(heatmap.relevance, 0))


def _grid(reference: Reference, shape: Shape) -> Intensity | None:
    grid = occupancy(reference, shape, GRID)
    return grid if grid is not None and grid.any() else None


def _fits(
    reference: Reference, grid: Intensity, of_outputs: Mapping[str, Values], method: str
) -> Iterator[Fit]:
    for output, of_cells in of_outputs.items():
        count = len(TRANSFORMS) if output == reference.finding else 1
        highest = highest_cell(of_cells)
        found = [fit(of_cells, highest, grid, transform) for transform in islice(TRANSFORMS.values(), count)]
        yield Fit(
            reference.case_id,
            reference.finding,
            reference.reader,
            method,
            output,
            ranks=tuple(rank if rank is None else round(rank, DECIMALS) for rank, _ in found),
            hits=tuple(hit for _, hit in found),
        )

"""Resample: maps brought to another grid, with half-pixel centres."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def resampled(maps: Tensor, grid: Sequence[int]) -> Tensor:
    """(batch, maps, *grid) from (batch, maps, *other grid).

    Both grids cover the image from edge to edge, so cells are placed by their middles (align_corners=False).
    """
    if tuple(maps.shape[2:]) == tuple(grid):
        return maps
    return functional.interpolate(maps, size=tuple(grid), mode=MODES[len(grid)], align_corners=False)

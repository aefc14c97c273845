"""Fusion: combine the maps of several layers or methods."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError
from pipeline.records import Cells


def fusion(
    forward: Forward,
    *,
    of: tuple[Maps, ...],
    combine: Literal["sum", "maximum", "product"] = "sum",
    weights: tuple[float, ...] | None = None,
) -> Tensor:
    """Relevance (batch, findings, *grid), 0 or more, on the finest grid of the maps.

    Negative values of each map are set to 0 and the map is divided by its maximum, per finding and image:
    layers and methods have different units, so the one with the largest numbers would dominate, and a product
    of two negative values would be positive. `weights`, one per map (default 1), apply only to the sum.
    """
    if weights is not None and (combine != "sum" or len(weights) != len(of)):
        raise ConfigError(
            f"method 'layers': weights: found {len(weights)} for {len(of)} maps and combine '{combine}', "
            "wanted one per map and combine 'sum'; correct or remove weights"
        )
    grids = [method.cells(forward) for method in of]
    onto = _finest(grids)
    maps = [resampled(_scaled(method(forward)), grid, onto) for method, grid in zip(of, grids, strict=True)]
    return COMBINATIONS[combine](_weighted(torch.stack(maps), weights))


def fusion_cells(forward: Forward, *, of: tuple[Maps, ...], **_options: object) -> tuple[Cells, ...]:
    """Where the cells of the finest map lie, per axis."""
    return _finest([method.cells(forward) for method in of])


def _finest(grids: Sequence[tuple[Cells, ...]]) -> tuple[Cells, ...]:
    """Of each axis, the cells that are most."""
    return tuple(max(axis, key=lambda cells: cells.size) for axis in zip(*grids, strict=True))


def _scaled(relevance: Tensor) -> Tensor:
    """Positive part of the maps divided by its maximum; a map without positive cells becomes 0."""
    positive = relevance.clamp_min(0)
    peak = positive.amax(dim=tuple(range(2, relevance.dim())), keepdim=True)
    return torch.where(peak > 0, positive / peak, 0)


def _weighted(stacked: Tensor, weights: tuple[float, ...] | None) -> Tensor:
    if weights is None:
        return stacked
    return stacked * stacked.new_tensor(weights).reshape(-1, *[1] * (stacked.dim() - 1))


COMBINATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sum": lambda stacked: stacked.sum(dim=0),
    "maximum": lambda stacked: stacked.amax(dim=0),
    "product": lambda stacked: stacked.prod(dim=0),
}
METHOD = AttributionMethod(maps=fusion, reads="method", unit="relative", of_many=True, cells=fusion_cells)

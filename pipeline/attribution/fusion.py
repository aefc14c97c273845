"""Fusion: maps of several layers or methods made into one."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError


def fusion(
    forward: Forward,
    *,
    of: tuple[Maps, ...],
    combine: Literal["sum", "maximum", "product"] = "sum",
    weights: tuple[float, ...] | None = None,
) -> Tensor:
    """Relevance (batch, findings, *grid) on the finest of the maps' grids; not below 0.

    Each map is first cut off at 0 and divided by its maximum, finding by finding and image by image: layers
    and methods have units of their own, and the one with the largest numbers would drown the others; and a
    place that is negative in two maps would be relevant in their product. `weights` (1 each), one a map, are
    for the sum alone.
    """
    if weights is not None and (combine != "sum" or len(weights) != len(of)):
        raise ConfigError(
            f"method 'layers': weights: found {len(weights)} for {len(of)} maps to combine by '{combine}'; "
            "wanted one a map, and only with 'sum'"
        )
    maps = [_scaled(one(forward)) for one in of]
    finest = [max(sizes) for sizes in zip(*(relevance.shape[2:] for relevance in maps), strict=True)]
    stacked = torch.stack([resampled(relevance, finest) for relevance in maps])
    return COMBINATIONS[combine](_weighted(stacked, weights))


def _scaled(relevance: Tensor) -> Tensor:
    """The positive part over its maximum; a map with no positive cell is 0."""
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
METHOD = AttributionMethod(maps=fusion, reads="method", unit="relative", of_many=True)

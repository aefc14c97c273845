"""Resample: interpolate maps from one grid over the input to another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.records import Cells


def pixels(sides: Sequence[int]) -> tuple[Cells, ...]:
    """The pixels of an input as cells, per axis."""
    return tuple(Cells(0.0, 1.0, side) for side in sides)


def resampled(maps: Tensor, cells: Sequence[Cells], onto: Sequence[Cells]) -> Tensor:
    """Maps (batch, maps, *grid), whose cells lie at `cells`, linearly interpolated at the centres of `onto`.

    Beyond the centres of the outermost cells the maps are constant. For grids that cover the input from edge
    to edge it is `torch.nn.functional.interpolate` with align_corners=False.
    """
    for dim, (source, target) in enumerate(zip(cells, onto, strict=True), start=2):
        if source != target:
            maps = _along(maps, dim, source, target)
    return maps


def _along(maps: Tensor, dim: int, source: Cells, target: Cells) -> Tensor:
    """The maps resampled along one dimension."""
    centres = target.start + target.step * torch.arange(target.size, dtype=torch.float64)
    position = ((centres - source.start) / source.step).clamp(0, source.size - 1)
    lower = position.long()
    upper = (lower + 1).clamp(max=source.size - 1)
    share = (position - lower).to(maps).reshape(-1, *[1] * (maps.dim() - dim - 1))
    below, above = (maps.index_select(dim, index.to(maps.device)) for index in (lower, upper))
    return torch.lerp(below, above, share)

"""Flips: the maps of another method for mirrored copies of the image, mirrored back and averaged."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError
from pipeline.records import Cells

Axis: TypeAlias = Literal["width", "height", "depth"]
AXES: dict[Axis, int] = {"width": -1, "height": -2, "depth": -3}
"""Axis → dimension of (batch, channels, depth, height, width)."""


def flips(forward: Forward, *, of: Maps, axes: tuple[Axis, ...] = ("width",)) -> Tensor:
    """Mean of the method's maps over the image mirrored along every subset of `axes`.

    All 2ⁿ subsets are used, not only single axes, so that the map of a mirrored image is the mirrored map.
    Cells that do not lie symmetrically on the image are moved to the middle between both, by interpolation.
    """
    subsets = list(_axis_subsets(axes, grid_axes=forward.inputs.dim() - 2))
    plain, onto = of.cells(forward), flips_cells(forward, of=of, axes=axes)
    total = torch.zeros(())
    for flipped in subsets:
        mirrored = forward.inputs.flip(flipped)
        maps = torch.cat([of(forward.again(part)) for part in torch.split(mirrored, forward.rows)])
        grid = _mirrored(plain, forward.inputs.shape[2:], flipped)
        total = total + resampled(maps.flip(flipped), grid, onto)
    return total / len(subsets)


def flips_cells(forward: Forward, *, of: Maps, axes: tuple[Axis, ...] = ("width",)) -> tuple[Cells, ...]:
    """Where the cells lie, per axis: along the mirrored axes in the middle of the image."""
    plain, sides = of.cells(forward), forward.inputs.shape[2:]
    both = zip(plain, _mirrored(plain, sides, tuple(AXES[axis] for axis in axes)), strict=True)
    return tuple(replace(one, start=(one.start + other.start) / 2) for one, other in both)


def _mirrored(grid: Sequence[Cells], sides: Sequence[int], flipped: Sequence[int]) -> tuple[Cells, ...]:
    """Where the cells of a map lie after the map of a mirrored image was mirrored back, per axis."""
    dims = range(-len(grid), 0)
    return tuple(
        replace(cells, start=side - 1 - cells.start - cells.step * (cells.size - 1))
        if dim in flipped
        else cells
        for dim, cells, side in zip(dims, grid, sides, strict=True)
    )


def _axis_subsets(axes: tuple[Axis, ...], *, grid_axes: int) -> Iterator[tuple[int, ...]]:
    """Every subset of the axes as tensor dimensions, starting with the empty subset."""
    known = list(AXES)[:grid_axes]
    if not axes or not set(axes) <= set(known):
        raise ConfigError(
            f"method 'flips': axes: found {list(axes)}, wanted at least one of {known}; set for "
            "example [width]"
        )
    dims = [AXES[axis] for axis in known if axis in axes]
    for size in range(len(dims) + 1):
        yield from combinations(dims, size)


METHOD = AttributionMethod(maps=flips, reads="method", unit="logit_at_head", cells=flips_cells)

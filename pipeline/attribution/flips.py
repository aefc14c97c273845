"""Flips: another method's map, averaged over mirrored copies of the image and mirrored back."""

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError

Axis: TypeAlias = Literal["width", "height", "depth"]
AXES: dict[Axis, int] = {"width": -1, "height": -2, "depth": -3}
"""Of (batch, channels, depth, height, width), torch's order."""


def flips(forward: Forward, *, of: Maps, axes: tuple[Axis, ...] = ("width",)) -> Tensor:
    """The mean of the method's maps over the image and its mirror images along every choice of `axes`.

    All 2ⁿ choices are taken, not n + 1: then the map of a mirrored image is the mirrored map.
    """
    images = list(_choices(axes, grid_axes=forward.inputs.dim() - 2))
    total = torch.zeros(())
    for flipped in images:
        mirrored = forward.inputs.flip(flipped)
        maps = torch.cat([of(forward.again(part)) for part in torch.split(mirrored, forward.rows)])
        total = total + maps.flip(flipped)
    return total / len(images)


def _choices(axes: tuple[Axis, ...], *, grid_axes: int) -> Iterator[tuple[int, ...]]:
    """Every subset of the named axes, as a tensor's dimensions; none of them first."""
    known = list(AXES)[:grid_axes]
    if not axes or not set(axes) <= set(known):
        raise ConfigError(f"method 'flips': axes: found {list(axes)}, wanted at least one of {known}")
    dims = [AXES[axis] for axis in known if axis in axes]
    for size in range(len(dims) + 1):
        yield from combinations(dims, size)


METHOD = AttributionMethod(maps=flips, reads="method", unit="logit_at_head")

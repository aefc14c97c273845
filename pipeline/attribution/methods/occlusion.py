"""Occlusion: drop of each logit when a patch of the image is hidden."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from pipeline.attribution.absence import Absent, absent
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

Lengths: TypeAlias = int | float | tuple[int | float, ...]
"""One length for all axes of the grid, or one per axis: pixels (int) or a share of the side (float < 1)."""


def occlusion(
    forward: Forward, *, patch: Lengths = 0.125, step: Lengths | None = None, fill: Absent = 0.0
) -> Tensor:
    """Mean drop of each logit over the patches on a pixel, (batch, findings, *grid), in logits.

    Zeiler and Fergus, ECCV 2014, section 4.2. Patches hide all channels. They are `step` apart, by default
    half a patch, and are cut off at the image's edge.
    """
    grid = forward.inputs.shape[2:]
    sides = _pixels(patch, grid, "patch")
    steps = _pixels(step, grid, "step") if step is not None else [math.ceil(side / 2) for side in sides]
    if any(pixels > side for pixels, side in zip(steps, sides, strict=True)):
        raise ConfigError(
            f"method 'occlusion': step: found {steps} pixels, wanted at most the patch's {sides}; set a "
            "smaller step or a larger patch"
        )
    fills = absent(forward.inputs, fill)
    rows = zip(forward.inputs, forward.logits, fills, strict=True)
    return torch.stack([_map_of_image(forward, *row, sides, steps) for row in rows])


def _map_of_image(
    forward: Forward, image: Tensor, logits: Tensor, fill: Tensor, sides: Sequence[int], steps: Sequence[int]
) -> Tensor:
    """Maps (findings, *grid) of one image (channels, *grid) with its logits (findings)."""
    grid = image.shape[1:]
    drops = torch.zeros(len(logits), *grid, device=image.device)
    counts = torch.zeros(grid, device=image.device)
    for patches in _chunked(_patches(grid, sides, steps), forward.rows):
        hidden = torch.stack([_patch_mask(patch, grid, image.device) for patch in patches])
        scores = forward.scores(torch.where(hidden[:, None], fill, image))
        for patch, drop in zip(patches, logits - scores, strict=True):
            drops[(slice(None), *patch)] += drop.reshape(-1, *[1] * len(grid))
            counts[patch] += 1
    return drops / counts


def _pixels(lengths: Lengths, grid: Sequence[int], option: str) -> list[int]:
    """Length in pixels along each axis of the grid, at least 1."""
    per_axis = lengths if isinstance(lengths, tuple) else (lengths,) * len(grid)
    shares = [length for length in per_axis if isinstance(length, float)]
    if len(per_axis) != len(grid) or min(per_axis) <= 0 or max(shares, default=0) >= 1:
        raise ConfigError(
            f"method 'occlusion': {option}: found {lengths}, wanted pixels (a whole number) or a share of "
            f"the side (between 0 and 1), one for all axes or {len(grid)} in a list; set for example 0.125"
        )
    return [
        min(side, max(1, round(length * side) if isinstance(length, float) else length))
        for length, side in zip(per_axis, grid, strict=True)
    ]


def _patches(grid: Sequence[int], sides: Sequence[int], steps: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """All patches, in row-major order; together they cover the grid."""
    axes = [
        [
            slice(number * step, number * step + side)
            for number in range(math.ceil((length - side) / step) + 1)
        ]
        for length, side, step in zip(grid, sides, steps, strict=True)
    ]
    return itertools.product(*axes)


def _chunked(patches: Iterator[tuple[slice, ...]], size: int) -> Iterator[list[tuple[slice, ...]]]:
    while chunk := list(itertools.islice(patches, size)):
        yield chunk


def _patch_mask(patch: tuple[slice, ...], grid: Sequence[int], device: torch.device) -> Tensor:
    """Boolean mask (*grid), true inside the patch."""
    hidden = torch.zeros(tuple(grid), dtype=torch.bool, device=device)
    hidden[patch] = True
    return hidden


METHOD = AttributionMethod(maps=occlusion, reads="input", unit="logit")

"""Occlusion: how much each logit falls when a patch of the image is hidden."""

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
"""Along every axis of the grid, or one for each: a whole number of pixels, or a share of the side below 1."""


def occlusion(
    forward: Forward, *, patch: Lengths = 0.125, step: Lengths | None = None, fill: Absent = 0.0
) -> Tensor:
    """The fall of each logit, mean over the patches on a pixel, (batch, findings, *grid), in logits.

    Zeiler and Fergus, ECCV 2014, section 4.2. Patches hide all channels and start every `step`, by default
    half a patch; those that reach over the edge are cut off there.
    """
    grid = forward.inputs.shape[2:]
    sides = _pixels(patch, grid, "patch")
    steps = _pixels(step, grid, "step") if step is not None else [math.ceil(side / 2) for side in sides]
    if any(pixels > side for pixels, side in zip(steps, sides, strict=True)):
        raise ConfigError(
            f"method 'occlusion': step: found {steps} pixels, wanted at most the patch's {sides}"
        )
    fills = absent(forward.inputs, fill)
    rows = zip(forward.inputs, forward.logits, fills, strict=True)
    return torch.stack([_of_image(forward, *row, sides, steps) for row in rows])


def _of_image(
    forward: Forward, image: Tensor, logits: Tensor, fill: Tensor, sides: Sequence[int], steps: Sequence[int]
) -> Tensor:
    """(findings, *grid) for one image (channels, *grid) with its logits (findings)."""
    grid = image.shape[1:]
    falls = torch.zeros(len(logits), *grid, device=image.device)
    times = torch.zeros(grid, device=image.device)
    for patches in _chunked(_patches(grid, sides, steps), forward.rows):
        hidden = torch.stack([_inside(patch, grid, image.device) for patch in patches])
        scores = forward.scores(torch.where(hidden[:, None], fill, image))
        for patch, fall in zip(patches, logits - scores, strict=True):
            falls[(slice(None), *patch)] += fall.reshape(-1, *[1] * len(grid))
            times[patch] += 1
    return falls / times


def _pixels(lengths: Lengths, grid: Sequence[int], option: str) -> list[int]:
    """One length along each axis of the grid, at least 1."""
    each = lengths if isinstance(lengths, tuple) else (lengths,) * len(grid)
    shares = [length for length in each if isinstance(length, float)]
    if len(each) != len(grid) or min(each) <= 0 or max(shares, default=0) >= 1:
        raise ConfigError(
            f"method 'occlusion': {option}: found {lengths}, wanted pixels (a whole number) or a share of "
            f"the side (between 0 and 1), one for all or {len(grid)} in a list"
        )
    return [
        min(side, max(1, round(length * side) if isinstance(length, float) else length))
        for length, side in zip(each, grid, strict=True)
    ]


def _patches(grid: Sequence[int], sides: Sequence[int], steps: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """The patches, row by row; together they cover the grid."""
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


def _inside(patch: tuple[slice, ...], grid: Sequence[int], device: torch.device) -> Tensor:
    """True inside the patch, (*grid)."""
    hidden = torch.zeros(tuple(grid), dtype=torch.bool, device=device)
    hidden[patch] = True
    return hidden


METHOD = AttributionMethod(maps=occlusion, reads="input", unit="logit")

"""RISE: what the network says of randomly masked images, averaged where the masks let each pixel through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.attribution.absence import Absent, absent
from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

Activation = Literal["sigmoid", "softmax", "none"]


def rise(
    forward: Forward,
    *,
    samples: int = 4000,
    cells: int = 7,
    keep: float = 0.5,
    seed: int = 0,
    activation: Activation = "sigmoid",
    fill: Absent = 0.0,
) -> Tensor:
    """Σ over masks of score × mask / (samples · keep), (batch, findings, *grid): equation 6 of the paper.

    Petsiuk et al., BMVC 2018. Masks are `cells` along every axis, each let through with probability `keep`,
    enlarged by bilinear (in 3D trilinear) interpolation and shifted at random (section 3.2). They depend on
    `seed` and the grid alone: every image of a run meets the same ones. The score is the paper's, a
    probability; where masked, the image is `fill`, in the paper 0.
    """
    if samples < 1 or cells < 1 or not 0 < keep <= 1:
        raise ConfigError(
            f"method 'rise': found samples {samples}, cells {cells}, keep {keep}; wanted at least 1, "
            "at least 1, and above 0 up to 1"
        )
    inputs, rows = forward.inputs, forward.rows
    total = torch.zeros(*forward.logits.shape, *inputs.shape[2:], device=inputs.device)
    drawn = draw_masks(inputs.shape[2:], samples=samples, cells=cells, keep=keep, seed=seed)
    fills = absent(inputs, fill)
    for start in range(0, samples, rows):
        masks = drawn.on_the_grid(start, start + rows).to(inputs.device)
        for number, (image, dark) in enumerate(zip(inputs, fills, strict=True)):
            scores = _scores(forward.scores(dark + masks[:, None] * (image - dark)), activation)
            total[number] += torch.einsum("nk,n...->k...", scores, masks)
    return total / (samples * keep)


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks as they were drawn, few numbers each; they are enlarged when they are used."""

    coarse: Tensor
    """(samples, *cells), 0 or 1."""
    shifts: Tensor
    """(samples, axes): where on the enlarged mask the grid begins."""
    grid: tuple[int, ...]

    def on_the_grid(self, start: int, stop: int) -> Tensor:
        """(masks, *grid), from 0 to 1."""
        enlarged = [
            (cells + 1) * pitch for cells, pitch in zip(self.coarse.shape[1:], self.pitches, strict=True)
        ]
        masks = resampled(self.coarse[start:stop, None], enlarged)[:, 0]
        return torch.stack(
            [
                mask[tuple(slice(at, at + side) for at, side in zip(shift, self.grid, strict=True))]
                for mask, shift in zip(masks, self.shifts[start:stop].tolist(), strict=True)
            ]
        )

    @property
    def pitches(self) -> list[int]:
        """Pixels between cells; rounded up as by the authors, so that a shifted mask covers the grid."""
        return [math.ceil(side / cells) for side, cells in zip(self.grid, self.coarse.shape[1:], strict=True)]


def draw_masks(grid: Sequence[int], *, samples: int, cells: int, keep: float, seed: int) -> Masks:
    """Masks for a grid, the same for the same arguments on every device."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(samples, *[cells] * len(grid), generator=generator) < keep
    pitches = [math.ceil(side / cells) for side in grid]
    shifts = [torch.randint(pitch, (samples,), generator=generator) for pitch in pitches]
    return Masks(coarse.float(), torch.stack(shifts, dim=1), tuple(grid))


def _scores(logits: Tensor, activation: Activation) -> Tensor:
    """(masks, findings)."""
    match activation:
        case "sigmoid":
            return logits.sigmoid()
        case "softmax":
            return logits.softmax(dim=1)
    return logits


METHOD = AttributionMethod(maps=rise, reads="input", unit="relative")

"""RISE: mean score of randomly masked images, weighted per pixel by the masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pipeline.attribution.absence import Absent, absent
from pipeline.attribution.readout import readout_of
from pipeline.attribution.resample import pixels, resampled
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError
from pipeline.geometry import edge_to_edge

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
    """Sum over masks of score × mask / (samples · keep), (batch, findings, *grid).

    Petsiuk et al., BMVC 2018, equation 6. Masks have `cells` cells along every axis, each visible with
    probability `keep`; they are enlarged by bilinear (in 3D trilinear) interpolation and shifted at random
    (section 3.2). They depend only on `seed` and the grid, so all images of a run get the same masks. As in
    the paper, the score is a probability by default; that of log-odds is their sigmoid, also if the
    `activation` is softmax. Masked pixels are replaced by `fill`, in the paper 0.
    """
    if samples < 1 or cells < 1 or not 0 < keep <= 1:
        raise ConfigError(
            f"method 'rise': found samples {samples}, cells {cells}, keep {keep}; set samples to at least 1, "
            "cells to at least 1, and keep above 0, up to 1"
        )
    inputs, rows = forward.inputs, forward.rows
    total = torch.zeros(*forward.logits.shape, *inputs.shape[2:], device=inputs.device)
    random_masks = draw_masks(inputs.shape[2:], samples=samples, cells=cells, keep=keep, seed=seed)
    fills = absent(inputs, fill)
    if activation == "softmax" and readout_of(forward.network).odds:
        activation = "sigmoid"
    for start in range(0, samples, rows):
        masks = random_masks.on_the_grid(start, start + rows).to(inputs.device)
        for row, (image, filling) in enumerate(zip(inputs, fills, strict=True)):
            scores = _scores(forward.scores(filling + masks[:, None] * (image - filling)), activation)
            total[row] += torch.einsum("nk,n...->k...", scores, masks)
    return total / (samples * keep)


@dataclass(frozen=True, slots=True)
class Masks:
    """Random masks in compact form, enlarged on use."""

    coarse: Tensor
    """Coarse masks (samples, *cells), 0 or 1."""
    shifts: Tensor
    """Offset of the grid in the enlarged mask, in pixels, (samples, axes)."""
    grid: tuple[int, ...]
    """Grid of the input."""

    def on_the_grid(self, start: int, stop: int) -> Tensor:
        """Masks `start` to `stop`, enlarged and shifted, (masks, *grid), 0 … 1."""
        enlarged = [
            (cells + 1) * pitch for cells, pitch in zip(self.coarse.shape[1:], self.pitches, strict=True)
        ]
        cells = [edge_to_edge(n, m) for n, m in zip(enlarged, self.coarse.shape[1:], strict=True)]
        masks = resampled(self.coarse[start:stop, None], cells, pixels(enlarged))[:, 0]
        return torch.stack(
            [
                mask[tuple(slice(at, at + side) for at, side in zip(shift, self.grid, strict=True))]
                for mask, shift in zip(masks, self.shifts[start:stop].tolist(), strict=True)
            ]
        )

    @property
    def pitches(self) -> list[int]:
        """Pixels per cell, rounded up as in the authors' code, so that shifted masks cover the grid."""
        return [math.ceil(side / cells) for side, cells in zip(self.grid, self.coarse.shape[1:], strict=True)]


def draw_masks(grid: Sequence[int], *, samples: int, cells: int, keep: float, seed: int) -> Masks:
    """Random masks for a grid, reproducible for the same arguments on every device."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(samples, *[cells] * len(grid), generator=generator) < keep
    pitches = [math.ceil(side / cells) for side in grid]
    shifts = [torch.randint(pitch, (samples,), generator=generator) for pitch in pitches]
    return Masks(coarse.float(), torch.stack(shifts, dim=1), tuple(grid))


def _scores(logits: Tensor, activation: Activation) -> Tensor:
    """Scores (masks, findings)."""
    match activation:
        case "sigmoid":
            return logits.sigmoid()
        case "softmax":
            return logits.softmax(dim=1)
    return logits


METHOD = AttributionMethod(maps=rise, reads="input", unit="relative")

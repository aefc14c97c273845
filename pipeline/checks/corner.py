"""Corner check: a network that reads one place of the image lights that place of the image.

A tiny network that is nothing but the brightness of its input goes through the model's own preprocessing, the
engine and the placement; places near the corners of a dark image are lit in turn, and the heatmap's centre of
gravity must lie there.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from pipeline.geometry import place, view
from pipeline.records import Image, Intensity, Placement, Shape

SHAPE = (200, 160)
"""Not square, so that a transposed or stretched map shows."""
PATCH = 0.12
"""Side of the lit patch, as a share of the visible part of the image."""
PLACES = ((0.15, 0.15), (0.15, 0.85), (0.85, 0.25))
"""Centres of the patches, (row, column) as shares of the visible part of the image."""
CELLS = 32
"""Of the attribution grid, along each side of the visible part of the image."""
FLOOR = 1 / 8
"""Share of the heatmap's range that is left out: bicubic resizing rings by less."""
TOLERANCE = 0.015
"""Distance of the heatmap's centre of gravity from the patch's centre, as a share of the visible part.

Right placements stay under 0.012, and under 0.006 where the input has 60 pixels or more; a centre crop of 480
from 512 that is left out misses by 0.023.
"""


class Brightness(nn.Module):
    """Logit = mean brightness: average pooling to cells, global average pool, linear with weight 1."""

    def __init__(self, grid: Shape) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.read = nn.ReLU()
        self.linear = nn.Linear(1, 1)
        nn.init.ones_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, 1) from (batch, channels, height, width)."""
        dark = inputs.amin(dim=(1, 2, 3), keepdim=True)
        cells = self.read(self.pool((inputs - dark).mean(dim=1, keepdim=True)))
        pooled: Tensor = self.linear(cells.mean(dim=(2, 3)))
        return pooled


def corner_lights_corner(model: LoadedModel) -> str:
    """The largest distance between a lit patch and the heatmap's centre, as a share of the visible image."""
    device = model.example.device
    dark = model.prepare(_lit(SHAPE, center=(0, 0), half=(0, 0)))
    top_left, size = _visible(dark.placement)
    centers = [top_left + size * np.array(place) for place in PLACES]
    inputs = [model.prepare(_lit(SHAPE, center=center, half=size * PATCH / 2)) for center in centers]
    batch = torch.from_numpy(np.stack([item.tensor for item in inputs])).to(device)
    network = Brightness(_grid(dark.placement, size)).to(device).eval()
    maps = model.explainer_of(network, batch)(batch).maps["gradcam"][:, 0]
    lit = [
        _center_of_gravity(relevance, item.placement) for relevance, item in zip(maps, inputs, strict=True)
    ]
    worst = float((np.abs(np.subtract(lit, centers)) / size).max())
    if not worst <= TOLERANCE:
        raise CheckError(
            f"a heatmap lights a place {worst:.1%} of the image away from what the network read (at most "
            f"{TOLERANCE:.1%} allowed): the preprocessing on the model card and the placement do not agree"
        )
    return f"lit places are found within {worst:.1%} of the image"


def _grid(placement: Placement, size: np.ndarray) -> Shape:
    """The attribution grid with `CELLS` along the visible part, also where most of the input is padding."""
    cells = CELLS * np.array(placement.model_shape) * np.abs(placement.scale) / size
    rows, columns = (int(n) for n in np.ceil(cells).clip(1, placement.model_shape))
    return rows, columns


def _center_of_gravity(relevance: Intensity, placement: Placement) -> tuple[float, float]:
    """(row, column) on the image of what a heatmap shows above its floor; NaN for a flat one."""
    floor = relevance.min() + FLOOR * np.ptp(relevance)
    shown = place(np.maximum(relevance - floor, 0), placement)
    total = shown.sum(dtype=np.float64)
    if not total > 0:
        return np.nan, np.nan
    rows, columns = (np.arange(n) for n in shown.shape)
    return float(rows @ shown.sum(axis=1) / total), float(columns @ shown.sum(axis=0) / total)


def _visible(placement: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Top left (row, column) and (height, width) of the part of the image that the model sees."""
    box = view(placement)
    top_left = np.maximum([box.y, box.x], -0.5)
    bottom_right = np.minimum([box.y + box.height, box.x + box.width], np.array(placement.image_shape) - 0.5)
    return top_left, bottom_right - top_left


def _lit(shape: tuple[int, int], *, center: object, half: object) -> Image:
    """A dark image with a bright rectangle, (row, column) centre and half sides in pixels."""
    rows, columns = np.indices(shape)
    (row, column), (height, width) = np.asarray(center), np.asarray(half)
    inside = (np.abs(rows - row) <= height) & (np.abs(columns - column) <= width)
    return Image(case_id="corner", pixels=inside.astype(np.float32), spacing_mm=None)

"""Corner check: a heatmap lies where the network found the signal, after preprocessing and placement.

Bright patches are drawn near the corners of dark images, one per image. A tiny network, whose logit is the
mean brightness, is explained with the model's own preprocessing, engine and placement; the centre of gravity
of each heatmap must be at the patch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from pipeline.geometry import placed, resample_to_image, view
from pipeline.records import Image, Intensity, Placement, Shape

SHAPE = (200, 160)
"""Rows and columns of the test image: not square, so that transposed or stretched maps are detected."""
PATCH = 0.12
"""Side of the bright patch, as a share of the visible part of the image."""
CENTERS = ((0.15, 0.15), (0.15, 0.85), (0.85, 0.25))
"""Centres of the patches, (row, column) as shares of the visible part of the image."""
CELLS = 32
"""Cells of the attribution grid along each side of the visible part of the image."""
FLOOR = 1 / 8
"""Heatmap values below this share of its range are ignored; ringing of bicubic resizing is smaller."""
TOLERANCE = 0.015
"""Largest distance between the heatmap's centre of gravity and the patch, as a share of the visible part.

Correct placements stay below 0.012, and below 0.006 for inputs of 60 pixels or more; if a centre crop of 480
from 512 is ignored, the distance is 0.023.
"""


class Brightness(nn.Module):
    """Network whose logit is the mean brightness: average pool to cells → global average pool → linear."""

    def __init__(self, grid: Shape) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.read = nn.ReLU()
        self.linear = nn.Linear(1, 1)
        nn.init.ones_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, 1) of inputs (batch, channels, height, width)."""
        dark = inputs.amin(dim=(1, 2, 3), keepdim=True)
        cells = self.read(self.pool((inputs - dark).mean(dim=1, keepdim=True)))
        pooled: Tensor = self.linear(cells.mean(dim=(2, 3)))
        return pooled


def corner_lights_corner(model: LoadedModel) -> str:
    """Largest distance between a patch and the heatmap's centre, as a share of the visible image."""
    device = model.example.device
    dark = model.prepare(_with_patch(SHAPE, center=(0, 0), half=(0, 0)))
    top_left, size = _visible(dark.placement)
    centers = [top_left + size * np.array(center) for center in CENTERS]
    images = [_with_patch(SHAPE, center=center, half=size * PATCH / 2) for center in centers]
    inputs = [model.prepare(image) for image in images]
    batch = torch.from_numpy(np.stack([item.tensor for item in inputs])).to(device)
    network = Brightness(_grid(dark.placement, size)).to(device).eval()
    explanation = model.explainer_of(network, batch)(batch)
    cells, maps = explanation.cells["gradcam"], explanation.maps["gradcam"][:, 0]
    found = [
        _center_of_gravity(relevance, placed(item.placement, cells))
        for relevance, item in zip(maps, inputs, strict=True)
    ]
    worst = float((np.abs(np.subtract(found, centers)) / size).max())
    if not worst <= TOLERANCE:
        raise CheckError(
            f"a heatmap is {worst:.1%} of the image away from the patch that the network detected (at most "
            f"{TOLERANCE:.1%} allowed): preprocessing and placement do not agree; correct the "
            "preprocessing"
        )
    return f"bright patches are found within {worst:.1%} of the image"


def _grid(placement: Placement, size: np.ndarray) -> Shape:
    """Attribution grid with `CELLS` along the visible part, even if most of the input is padding."""
    cells = CELLS * np.array(placement.model_shape) * np.abs(placement.scale) / size
    rows, columns = (int(n) for n in np.ceil(cells).clip(1, placement.model_shape))
    return rows, columns


def _center_of_gravity(relevance: Intensity, placement: Placement) -> tuple[float, float]:
    """Centre (row, column) on the image of a heatmap above its floor; NaN for a flat one."""
    floor = relevance.min() + FLOOR * np.ptp(relevance)
    shown = resample_to_image(np.maximum(relevance - floor, 0), placement)
    total = shown.sum(dtype=np.float64)
    if not total > 0:
        return np.nan, np.nan
    rows, columns = (np.arange(n) for n in shown.shape)
    return float(rows @ shown.sum(axis=1) / total), float(columns @ shown.sum(axis=0) / total)


def _visible(placement: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Top left (row, column) and size (height, width) of the part of the image that the model sees."""
    box = view(placement)
    top_left = np.maximum([box.y, box.x], -0.5)
    bottom_right = np.minimum([box.y + box.height, box.x + box.width], np.array(placement.image_shape) - 0.5)
    return top_left, bottom_right - top_left


def _with_patch(shape: tuple[int, int], *, center: object, half: object) -> Image:
    """A dark image with a bright rectangle, given by its centre (row, column) and half sides in pixels."""
    rows, columns = np.indices(shape)
    (row, column), (height, width) = np.asarray(center), np.asarray(half)
    inside = (np.abs(rows - row) <= height) & (np.abs(columns - column) <= width)
    return Image(case_id="corner", pixels=inside.astype(np.float32), spacing_mm=None)

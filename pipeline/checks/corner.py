"""Corner check: a network that reads one place of the image lights that place of the *image*.

A tiny network that is nothing but the brightness of its input goes through the model's own preprocessing, the
engine and the placement; each quarter of a dark image is lit in turn, and the heatmap must peak there.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from pipeline.geometry import place, view
from pipeline.records import Image, Placement

SHAPE = (200, 160)
"""Not square, so that a transposed or stretched map shows."""
PATCH = 0.12
"""Side of the lit patch, as a share of the visible part of the image."""
TOLERANCE = 0.12
"""Distance of the peak from the patch's centre, as a share of the visible part of the image."""


class Brightness(nn.Module):
    """Logit = mean brightness: average pooling to cells, global average pool, linear with weight 1."""

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(cell)
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
    """The largest distance between a lit patch and the heatmap's peak, as a share of the visible image."""
    device = model.example.device
    dark = model.prepare(_lit(SHAPE, center=(0, 0), half=(0, 0)))
    visible = _visible(dark.placement)
    network = Brightness(cell=max(1, min(dark.tensor.shape[1:]) // 16)).to(device).eval()
    centers = [visible[0] + visible[1] * np.array(share) for share in ((0.2, 0.2), (0.2, 0.7), (0.8, 0.3))]
    images = [_lit(SHAPE, center=c, half=visible[1] * PATCH / 2) for c in centers]
    inputs = [model.prepare(image) for image in images]
    batch = torch.from_numpy(np.stack([item.tensor for item in inputs])).to(device)
    maps = model.explainer_of(network, batch)(batch).maps["gradcam"][:, 0]
    worst = 0.0
    for relevance, item, center in zip(maps, inputs, centers, strict=True):
        placed = place(relevance, item.placement)
        peak = np.mean(np.argwhere(placed >= placed.max() * (1 - 1e-6)), axis=0)
        worst = max(worst, float((np.abs(peak - center) / visible[1]).max()))
    if not worst <= TOLERANCE:
        raise CheckError(
            f"a heatmap lights a place {worst:.0%} of the image away from what the network read (at most "
            f"{TOLERANCE:.0%} allowed): the preprocessing on the model card and the placement do not agree"
        )
    return f"lit places are found within {worst:.0%} of the image"


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

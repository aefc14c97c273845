"""A network that keeps channels last was read as channels first (case model-channels-last).

Swin transformers keep (batch, rows, columns, channels) to the end. The layer "last" of this network is its
norm, (2, 8, 8, 24), which was taken for 8 channels on a grid of 8 × 24. Its map has 8 × 8 cells, where its
patches of 8 pixels lie.

Source: jacobgil/pytorch-grad-cam#84, #124, #426; frgfm/torch-cam#412.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.records import Cells


class ChannelsLast(nn.Module):
    """Patches, a mixing layer and a norm with channels last; `first` turns the same numbers at the end."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.patch, self.mix = nn.Conv2d(1, 24, 8, 8), nn.Linear(24, 24)
        self.norm, self.turned, self.head = nn.LayerNorm(24), nn.Identity(), nn.Linear(24, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.patch(inputs).permute(0, 2, 3, 1)
        tokens = self.norm(tokens + self.mix(tokens).relu())
        if self.first:
            return self.head(self.turned(tokens.permute(0, 3, 1, 2)).mean((2, 3)))
        return self.head(tokens.mean((1, 2)))


def network(*, first: bool) -> nn.Module:
    torch.manual_seed(0)
    return ChannelsLast(first=first).eval()


@pytest.mark.parametrize("method", ["gradcam", "layercam", "scorecam", "ablationcam", "gradcam++"])
def test_the_map_has_the_cells_of_the_grid_and_the_values_of_the_turned_network(method: str) -> None:
    inputs = torch.rand(2, 1, 64, 48, generator=torch.Generator().manual_seed(0))
    found, turned = (
        open_explainer(network(first=first), methods=[method], example=inputs).explain(inputs)
        for first in (False, True)
    )
    assert found.maps[method].shape == (2, 2, 8, 6)
    assert found.cells[method] == (Cells(3.5, 8, 8), Cells(3.5, 8, 6))
    assert found.maps[method] == pytest.approx(turned.maps[method], abs=1e-4)
    assert abs(found.maps[method]).max() > 0.01

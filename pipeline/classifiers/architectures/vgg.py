"""VGG: 3 x 3 convolutions and maximum pools, then linear layers, under torchvision's names of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from torch import Tensor, nn

STAGES: Final[Mapping[int, tuple[int, ...]]] = MappingProxyType(
    {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
)
"""Layers with weights → convolutions before each maximum pool (columns A, B, D and E of table 1)."""
FILTERS: Final = (64, 128, 256, 512, 512)
GRID: Final = 7
"""Rows and columns of the grid that the linear layers read."""


class VGG(nn.Module):
    """Simonyan and Zisserman, ICLR 2015."""

    def __init__(
        self,
        *,
        depth: int,
        in_channels: int,
        out_channels: int,
        batch_norm: bool = False,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(depth, in_channels, batch_norm=batch_norm))
        self.avgpool = nn.AdaptiveAvgPool2d(GRID)
        self.classifier = nn.Sequential(
            *(nn.Linear(FILTERS[-1] * GRID**2, hidden), nn.ReLU(inplace=True), nn.Dropout()),
            *(nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout()),
            nn.Linear(hidden, out_channels),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(inputs)).flatten(1))
        return logits


def _features(depth: int, channels: int, *, batch_norm: bool) -> Iterator[nn.Module]:
    for count, filters in zip(STAGES[depth], FILTERS, strict=True):
        for _ in range(count):
            yield nn.Conv2d(channels, filters, 3, padding=1)
            if batch_norm:
                yield nn.BatchNorm2d(filters)
            yield nn.ReLU(inplace=True)
            channels = filters
        yield nn.MaxPool2d(2)

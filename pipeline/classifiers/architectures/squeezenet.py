"""SqueezeNet: fire modules and a convolution that gives the logits, under torchvision's names of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn

FIRES: Final = (
    *((16, 64), (16, 64), (32, 128), (32, 128)),
    *((48, 192), (48, 192), (64, 256), (64, 256)),
)
"""(filters that squeeze, filters of each of the two expansions) of each fire module."""
VERSIONS: Final[Mapping[str, tuple[int, int, tuple[int, ...]]]] = MappingProxyType(
    {"1.0": (96, 7, (3, 7)), "1.1": (64, 3, (2, 4))}
)
"""Version → filters and kernel of the first convolution, and numbers of fires before a maximum pool."""


class SqueezeNet(nn.Module):
    """Iandola et al., arXiv 1602.07360, and version 1.1 of the authors' repository.

    The logits are spatial means behind a ReLU, so they are 0 or more.
    """

    def __init__(self, *, version: str, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(version, in_channels))
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Conv2d(2 * FIRES[-1][1], out_channels, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        logits: Tensor = self.classifier(self.features(inputs)).flatten(1)
        return logits


class Fire(nn.Module):
    """A convolution that squeezes, and two that expand, side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, 2 · expanded, height, width) of (batch, channels, height, width)."""
        squeezed = self.squeeze_activation(self.squeeze(inputs))
        narrow = self.expand1x1_activation(self.expand1x1(squeezed))
        wide = self.expand3x3_activation(self.expand3x3(squeezed))
        return torch.cat([narrow, wide], dim=1)


def _features(version: str, channels: int) -> Iterator[nn.Module]:
    filters, kernel, pooled = VERSIONS[version]
    yield nn.Conv2d(channels, filters, kernel, stride=2)
    yield nn.ReLU(inplace=True)
    yield nn.MaxPool2d(3, stride=2, ceil_mode=True)
    channels = filters
    for number, (squeezed, expanded) in enumerate(FIRES):
        if number in pooled:
            yield nn.MaxPool2d(3, stride=2, ceil_mode=True)
        yield Fire(channels, squeezed, expanded)
        channels = 2 * expanded

"""Xception: separable convolutions with shortcuts, under the names of tensors of the ports to PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from torch import Tensor, nn

EPSILON: Final = 1e-5
MIDDLE: Final = 728
"""Filters of the middle flow, which has eight blocks of three separable convolutions."""


class Xception(nn.Module):
    """Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017, figure 5.

    As in the ports, convolutions of stride 2 and the two before the blocks are not padded, and the maximum
    pools are padded by 1 on every side.
    """

    def __init__(self, *, in_channels: int, out_channels: int, epsilon: float = EPSILON) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(32, 64, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu2 = nn.ReLU(inplace=True)
        self.block1 = Block(64, 128, 128, stride=2, begins_with_relu=False)
        self.block2 = Block(128, 256, 256, stride=2)
        self.block3 = Block(256, MIDDLE, MIDDLE, stride=2)
        for number in range(4, 12):
            self.add_module(f"block{number}", Block(MIDDLE, MIDDLE, MIDDLE, MIDDLE))
        self.block12 = Block(MIDDLE, MIDDLE, 1024, stride=2)
        self.conv3 = SeparableConvolution(1024, 1536)
        self.bn3 = nn.BatchNorm2d(1536)
        self.relu3 = nn.ReLU(inplace=True)
        self.conv4 = SeparableConvolution(1536, 2048)
        self.bn4 = nn.BatchNorm2d(2048)
        self.relu4 = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, out_channels)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = epsilon

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        hidden = self.relu1(self.bn1(self.conv1(inputs)))
        hidden = self.relu2(self.bn2(self.conv2(hidden)))
        for number in range(1, 13):
            hidden = self.get_submodule(f"block{number}")(hidden)
        hidden = self.relu3(self.bn3(self.conv3(hidden)))
        hidden = self.relu4(self.bn4(self.conv4(hidden)))
        logits: Tensor = self.fc(self.pool(hidden).flatten(1))
        return logits


class SeparableConvolution(nn.Module):
    """A 3 x 3 convolution of each channel, then a 1 x 1 convolution, without an activation between them."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, filters, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, filters, height, width) of (batch, channels, height, width)."""
        filtered: Tensor = self.pointwise(self.conv1(inputs))
        return filtered


class Block(nn.Module):
    """Separable convolutions, a maximum pool if the stride is not 1, and a shortcut around them."""

    def __init__(self, channels: int, *filters: int, stride: int = 1, begins_with_relu: bool = True) -> None:
        super().__init__()
        self.rep = nn.Sequential(*_layers(channels, filters, stride, begins_with_relu=begins_with_relu))
        if stride > 1:
            self.skip: nn.Module = nn.Conv2d(channels, filters[-1], 1, stride=stride, bias=False)
            self.skipbn: nn.Module = nn.BatchNorm2d(filters[-1])
        else:
            self.skip = self.skipbn = nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """The sum of both ways."""
        total: Tensor = self.rep(inputs) + self.skipbn(self.skip(inputs))
        return total


def _layers(
    channels: int, filters: tuple[int, ...], stride: int, *, begins_with_relu: bool
) -> Iterator[nn.Module]:
    for number, count in enumerate(filters):
        if number or begins_with_relu:
            yield nn.ReLU(inplace=number > 0)  # the first reads what the shortcut reads, too
        yield SeparableConvolution(channels, count)
        yield nn.BatchNorm2d(count)
        channels = count
    if stride > 1:
        yield nn.MaxPool2d(3, stride=stride, padding=1)

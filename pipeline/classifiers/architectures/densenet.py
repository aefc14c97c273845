"""DenseNet: every layer of a block reads what all before it gave, under MONAI's names of tensors.

A card whose `act` or `norm` names a layer of MONAI gets its network. Any other card gets this one, with the
same tensors and outputs bit by bit. It spares `import monai`, which takes longer than `import torch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

BLOCKS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "DenseNet": {},
        "DenseNet121": {},
        "DenseNet161": {"block_config": (6, 12, 36, 24), "init_features": 96, "growth_rate": 48},
        "DenseNet169": {"block_config": (6, 12, 32, 32)},
        "DenseNet201": {"block_config": (6, 12, 48, 32)},
        "DenseNet264": {"block_config": (6, 12, 64, 48)},
    }
)
"""Name → where its arguments are not those of DenseNet-121 (Huang et al., CVPR 2017, table 1)."""
BY_NAME: Final = {"act", "norm"}
"""Arguments that name a layer of MONAI."""


def densenet(*, name: str, **arguments: Any) -> nn.Module:
    """The DenseNet of a name; `arguments` go before those that the name implies."""
    given = {**BLOCKS[name], **arguments}
    if BY_NAME.isdisjoint(given):
        return DenseNet(**given)
    of_monai = import_module("pipeline.classifiers.architectures.of_monai")
    return cast("nn.Module", of_monai.densenet(**given))


class DenseNet(nn.Module):
    """Huang et al., CVPR 2017; the tensors have the names, shapes and first values of MONAI's."""

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        init_features: int = 64,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        bn_size: int = 4,
        dropout_prob: float = 0.0,
    ) -> None:
        super().__init__()
        channels = init_features
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(in_channels, channels, 7, 2, 3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(channels))
        self.features.add_module("relu0", nn.ReLU(inplace=True))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        for number, layers in enumerate(block_config, 1):
            widths = [channels + layer * growth_rate for layer in range(layers + 1)]
            block = nn.Sequential()
            for layer, (width, wider) in enumerate(pairwise(widths), 1):
                grown = _Layer(width, bn_size * growth_rate, wider - width, dropout_prob)
                block.add_module(f"denselayer{layer}", grown)
            self.features.add_module(f"denseblock{number}", block)
            channels = widths[-1]
            if number == len(block_config):
                self.features.add_module("norm5", nn.BatchNorm2d(channels))
            else:
                self.features.add_module(f"transition{number}", _transition(channels, channels // 2))
                channels //= 2
        self.class_layers = nn.Sequential()
        self.class_layers.add_module("relu", nn.ReLU(inplace=True))
        self.class_layers.add_module("pool", nn.AdaptiveAvgPool2d(1))
        self.class_layers.add_module("flatten", nn.Flatten(1))
        self.class_layers.add_module("out", nn.Linear(channels, out_channels))
        _initialise(self)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        logits: Tensor = self.class_layers(self.features(inputs))
        return logits


class _Layer(nn.Module):
    """A layer of a block: its channels after those that it reads."""

    def __init__(self, channels: int, bottleneck: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.add_module("norm1", nn.BatchNorm2d(channels))
        self.layers.add_module("relu1", nn.ReLU(inplace=True))
        self.layers.add_module("conv1", nn.Conv2d(channels, bottleneck, 1, bias=False))
        self.layers.add_module("norm2", nn.BatchNorm2d(bottleneck))
        self.layers.add_module("relu2", nn.ReLU(inplace=True))
        self.layers.add_module("conv2", nn.Conv2d(bottleneck, growth, 3, padding=1, bias=False))
        if dropout > 0:
            self.layers.add_module("dropout", nn.Dropout2d(dropout))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([inputs, self.layers(inputs)], 1)


def _transition(channels: int, fewer: int) -> nn.Sequential:
    """What halves grid and channels between two blocks."""
    transition = nn.Sequential()
    transition.add_module("norm", nn.BatchNorm2d(channels))
    transition.add_module("relu", nn.ReLU(inplace=True))
    transition.add_module("conv", nn.Conv2d(channels, fewer, 1, bias=False))
    transition.add_module("pool", nn.AvgPool2d(2, 2))
    return transition


def _initialise(network: nn.Module) -> None:
    """Random weights as of MONAI (He et al., 2015), for networks that are trained from here on."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

"""Brightness: a DenseNet whose right map is known, because its logit is the image's mean brightness."""

from __future__ import annotations

import torch
from monai.networks.nets import DenseNet
from torch import nn

ARGUMENTS = {
    "spatial_dims": 2,
    "in_channels": 1,
    "init_features": 4,
    "growth_rate": 2,
    "block_config": (1, 1, 1, 1),
    "bn_size": 1,
}
"""The grids of DenseNet-121, which depend on neither the widths nor the numbers of its layers."""
GAIN, BIAS = 60.0, -0.05


def brightness(outputs: int = 1) -> nn.Module:
    """The network, in eval mode: one channel is carried from the first convolution to the head."""
    network = DenseNet(**ARGUMENTS, out_channels=outputs).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    with torch.no_grad():
        network.features.conv0.weight[0] = 1 / 49
        for number in (1, 2, 3):
            network.features.get_submodule(f"transition{number}").conv.weight[0, 0] = 1
        nn.init.zeros_(network.class_layers.out.weight)
        network.class_layers.out.weight[:, 0] = GAIN
        nn.init.constant_(network.class_layers.out.bias, BIAS)
    return network

"""MONAI's networks: those of `monai.networks.nets` that classify images, without weights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from monai.networks import nets
from torch import nn

OF_THE_PAPER: Final[Mapping[str, Any]] = MappingProxyType({"conv1_t_stride": 2, "bias_downsample": False})
"""Where MONAI's defaults are not those of He et al., 2016, and of torchvision."""
FILTERS: Final = (64, 128, 256, 512)
"""Filters of the four stages (He et al., 2016, table 1)."""


def densenet(**arguments: Any) -> nn.Module:
    """A DenseNet (Huang et al., CVPR 2017) with activations or norms that MONAI knows by name."""
    return _monai("DenseNet", **arguments)


def resnet(*, in_channels: int, out_channels: int, **arguments: Any) -> nn.Module:
    """MONAI's ResNet with its defaults."""
    return _monai("ResNet", n_input_channels=in_channels, num_classes=out_channels, **arguments)


def residual_network(**arguments: Any) -> nn.Module:
    """ResNet-18 to ResNet-152 (He et al., CVPR 2016), with the stride in the 3 x 3 convolutions.

    The tensors have the names and shapes of torchvision's.
    """
    return resnet(**{"block_inplanes": FILTERS, **OF_THE_PAPER, **arguments})


def senet(*, name: str, out_channels: int, **arguments: Any) -> nn.Module:
    """SENet-154, SE-ResNet or SE-ResNeXt (Hu et al., CVPR 2018)."""
    return _monai(name, num_classes=out_channels, **arguments)


def efficientnet(*, out_channels: int, **arguments: Any) -> nn.Module:
    """EfficientNet-B0 to B8 and L2 (Tan and Le, ICML 2019)."""
    return _monai("EfficientNetBN", num_classes=out_channels, pretrained=False, **arguments)


def _monai(name: str, **arguments: Any) -> nn.Module:
    return cast("nn.Module", getattr(nets, name)(spatial_dims=2, **arguments))

"""Networks of the field with weights that a formula gives, so that other libraries can be given the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.networks import build_network

HIDDEN = 8
"""Outputs of the hidden linear layers of AlexNet and VGG, which have 4096 and hundreds of megabytes."""
CLASSICS = (
    "AlexNet", "VGG16", "ResNet50", "ResNet101", "DenseNet161", "SqueezeNet1_1", "Xception",
)  # fmt: skip
"""The networks of the field that most cards bring."""


def card_of(
    name: str,
    *,
    size: int | tuple[int, int] = 64,
    outputs: int = 2,
    channels: int = 3,
    ending: Mapping[str, Any] = MappingProxyType({}),
    **arguments: Any,
) -> ModelCard:
    """A card; `ending` is its pooling and head."""
    own = {"hidden": HIDDEN} if name.startswith(("VGG", "AlexNet")) else {}
    return ModelCard.model_validate(
        {
            "name": "published",
            "purpose": "tests",
            "architecture": {
                "class": name,
                "arguments": {"in_channels": channels, "out_channels": outputs, **own, **arguments},
                **ending,
            },
            "findings": [f"finding {number}" for number in range(outputs)],
            "activation": "sigmoid",
            "preprocessing": {
                "window": "full",
                "channels": channels,
                "resize": {"rule": "exact", "size": size},
            },
        }
    )


def published(name: str, *, size: int | tuple[int, int] = 64, **arguments: Any) -> nn.Module:
    """The network of a card in eval mode, with the weights of `fill`."""
    network = build_network(card_of(name, size=size, **arguments)).eval()
    fill(network)
    return network


def lively(name: str, *, size: int | tuple[int, int] = 64, **arguments: Any) -> nn.Module:
    """The network of `published`; no logit of a SqueezeNet, which ends in a ReLU, is 0 for every image."""
    network = published(name, size=size, **arguments)
    if name.startswith("SqueezeNet"):
        network.classifier[1].weight.data.abs_()
    return network


@torch.no_grad()
def fill(network: nn.Module) -> None:
    """Give every tensor the values of a sine, by its place among the sorted names; activations neither vanish
    nor grow, and statistics of batch norm are unlike 0 and 1.
    """
    state = parameters(network)
    for number, name in enumerate(sorted(state)):
        tensor = state[name]
        wave = torch.sin(1.37 * torch.arange(tensor.numel(), dtype=torch.float64) + number)
        wave = wave.reshape(tensor.shape)
        if tensor.dim() > 1:
            tensor.copy_(wave * (4 / tensor[0].numel()) ** 0.5)
        elif name.endswith("running_var"):
            tensor.copy_(1 + wave / 2)
        else:
            tensor.copy_(1 + wave / 4 if name.endswith("weight") else wave / 8)


def wave_image(rows: int, columns: int) -> Tensor:
    """An image (1, 3, rows, columns), double precision."""
    wave = torch.sin(0.29 * torch.arange(3 * rows * columns, dtype=torch.float64))
    return wave.reshape(1, 3, rows, columns)


def parameters(network: nn.Module) -> dict[str, Tensor]:
    """The network's tensors without batch norm's counters."""
    return {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}

"""A small model card and its network, which every test may change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from monai.networks.nets import DenseNet
from torch import nn

from pipeline.classifiers import ModelCard, load_card

CardWriter = Callable[..., Path]
ARGUMENTS: dict[str, Any] = {
    "in_channels": 1,
    "out_channels": 2,
    "init_features": 4,
    "growth_rate": 2,
    "block_config": [2, 1],
}


@pytest.fixture
def write_card(tmp_path: Path) -> CardWriter:
    """write_card(**{"preprocessing.channels": 3}) → a small card with this key changed."""

    def write(**changes: Any) -> Path:
        values: dict[str, Any] = {
            "name": "small",
            "purpose": "testing",
            "architecture": {
                "class": "DenseNet",
                "arguments": dict(ARGUMENTS),
            },
            "findings": ["nodule", "effusion"],
            "activation": "sigmoid",
            "preprocessing": {"window": "full", "resize": {"rule": "exact", "size": 32}},
        }
        for key, value in changes.items():
            *parents, last = key.split(".")
            place = values
            for parent in parents:
                place = place[parent]
            place[last] = value
        path = tmp_path / "card.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write


@pytest.fixture
def card(write_card: CardWriter) -> ModelCard:
    return load_card(write_card())


@pytest.fixture
def network() -> nn.Module:
    """A network of MONAI's class that looks trained: no tensor has its initial values."""
    network = DenseNet(spatial_dims=2, **ARGUMENTS).eval()
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(noise + 0.5 if name.endswith("running_var") else noise - 0.4)
    return network

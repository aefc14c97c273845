"""Misfits: weights of another ResNet are refused with the argument that fits them, which then loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from monai.networks.nets import ResNet
from safetensors.torch import save_file
from torch import nn

from pipeline.classifiers.architectures.of_monai import resnet
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError

SMALL: dict[str, Any] = {"block": "bottleneck", "layers": [1, 1, 1, 1], "block_inplanes": [2, 2, 2, 2]}
PLAIN = {"bias_downsample": False, "conv1_t_stride": 2}
"""As the paper and torchvision have it."""


def network(**arguments: Any) -> nn.Module:
    """A ResNet as a card names it, with MONAI's defaults."""
    return resnet(in_channels=1, out_channels=2, **SMALL, **arguments)


def file_of(folder: Path, **arguments: Any) -> Path:
    made = ResNet(spatial_dims=2, n_input_channels=1, num_classes=2, **SMALL, **arguments)
    save_file(made.state_dict(), folder / "w.safetensors")
    return folder / "w.safetensors"


def loaded(of: nn.Module, path: Path) -> None:
    load_weights(of, path, sha256=None, allow_pickle=False)


@pytest.mark.parametrize(
    ("of_file", "of_card", "remedy"),
    [
        (PLAIN, {}, "state architecture.arguments.bias_downsample: false, and conv1_t_stride: 2"),
        ({}, PLAIN, "state architecture.arguments.bias_downsample: true, and conv1_t_stride: 1"),
        ({"conv1_t_size": 3}, {}, "state architecture.arguments.conv1_t_size: 3"),
    ],
)
def test_the_argument_that_fits_is_named_and_fits(
    of_file: dict[str, Any], of_card: dict[str, Any], remedy: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path, **of_file)
    with pytest.raises(ConfigError) as refusal:
        loaded(network(**of_card), path)
    assert remedy in str(refusal.value)
    assert "; else use the card's own weights" in str(refusal.value)
    loaded(network(**of_file), path)


def test_both_arguments_are_named(tmp_path: Path) -> None:
    path = file_of(tmp_path, **PLAIN, conv1_t_size=3)
    with pytest.raises(ConfigError, match=r"bias_downsample: false.*conv1_t_size: 3"):
        loaded(network(), path)


def test_nothing_is_said_of_other_misfits(tmp_path: Path) -> None:
    path = file_of(tmp_path)
    other = resnet(in_channels=1, out_channels=2, **{**SMALL, "layers": [2, 1, 1, 1]})
    with pytest.raises(ConfigError) as refusal:
        loaded(other, path)
    assert "architecture.arguments" not in str(refusal.value)

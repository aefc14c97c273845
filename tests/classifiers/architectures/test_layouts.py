"""Weights of networks that are no DenseNets load under their own names, with prefixes and other heads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import LoadedWeights, load_weights
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of, published

Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    return published("ResNet18", size=32)


def loaded(tensors: Tensors, path: Path, *, name: str = "ResNet18") -> tuple[nn.Module, LoadedWeights]:
    save_file({key: tensor.clone() for key, tensor in tensors.items()}, path / "w.safetensors")
    network = build_network(card_of(name, size=75)).eval()
    return network, load_weights(network, path / "w.safetensors", sha256=None, allow_pickle=False)


def renamed(*pairs: tuple[str, str]) -> Callable[[Tensors], Tensors]:
    def rename(tensors: Tensors) -> Tensors:
        for pattern, replacement in pairs:
            tensors = {re.sub(pattern, replacement, key): value for key, value in tensors.items()}
        return tensors

    return rename


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (renamed(), ""),
        (renamed((r"^", "module.")), "The prefix module. was left off"),
        (renamed((r"^", "model._orig_mod.")), "The prefix model. was left off"),
        (renamed((r"^fc\.", "last_linear.")), "The linear layer last_linear of the weights file"),
        (renamed((r"^fc\.", "fc.1.")), "The linear layer fc.1 of the weights file"),
        (renamed((r"^fc\.", "head.fc.")), "The linear layer head.fc of the weights file"),
        (renamed((r"^fc\.", "classifier."), (r"^(?!class)", "backbone.")), "linear layer classifier of"),
    ],
    ids=["torchvision", "module", "compiled", "last_linear", "dropout", "head.fc", "backbone"],
)
def test_a_resnet_loads_from_the_layouts_of_the_field(
    trained: nn.Module, tmp_path: Path, layout: Callable[[Tensors], Tensors], said: str
) -> None:
    network, weights = loaded(layout(trained.state_dict()), tmp_path)
    for key, tensor in trained.state_dict().items():
        assert torch.equal(network.state_dict()[key], tensor)
    assert said in " ".join(notice.text() for notice in weights.notices)
    assert bool(said) == bool(weights.notices)


def test_two_networks_in_a_file_are_refused(trained: nn.Module, tmp_path: Path) -> None:
    state = trained.state_dict()
    both = {f"{side}.{k}": v + (side == "left") for side in ("left", "right") for k, v in state.items()}
    with pytest.raises(ConfigError, match="holds 2 different networks, under 'left' and 'right'"):
        loaded(both, tmp_path)


def test_a_head_of_two_linear_layers_is_not_taken_for_one(trained: nn.Module, tmp_path: Path) -> None:
    state = renamed((r"^fc\.", "fc.3."))(trained.state_dict())
    state |= {"fc.0.weight": torch.ones(512, 512), "fc.0.bias": torch.ones(512)}
    with pytest.raises(ConfigError, match=r"2 missing: fc\.weight, fc\.bias; 4 unexpected"):
        loaded(state, tmp_path)


def test_names_of_a_vgg_are_not_those_of_a_densenet(tmp_path: Path) -> None:
    """A VGG's classifier.0 is a hidden layer; a DenseNet's is its head."""
    network = published("VGG11", size=75)
    again, weights = loaded(network.state_dict(), tmp_path, name="VGG11")
    assert torch.equal(again.classifier[6].weight, network.classifier[6].weight)
    assert not weights.notices


def test_last_linear_of_xception(tmp_path: Path) -> None:
    network = published("Xception", size=75)
    state = renamed((r"^fc\.", "last_linear."))(network.state_dict())
    again, _ = loaded(state, tmp_path, name="Xception")
    assert torch.equal(again.fc.weight, network.fc.weight)


def test_weights_of_monais_resnet_do_not_fit_that_of_the_paper(trained: nn.Module, tmp_path: Path) -> None:
    """Their first convolution has a stride of 1, which no tensor shows; their shortcuts have biases."""
    state = {**trained.state_dict(), "layer2.0.downsample.0.bias": torch.zeros(128)}
    with pytest.raises(ConfigError, match=r"1 unexpected: layer2\.0\.downsample\.0\.bias"):
        loaded(state, tmp_path)


def test_an_input_that_is_too_small_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match=r"AlexNet with .* cannot compute an input of 32 x 32 px; enlarge"):
        build_network(card_of("AlexNet", size=32))

"""Gradient check: an engine whose gradients are wrong is found, at any layer."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from pipeline.checks.gradients import gradients_equal_autograd
from pipeline.errors import CheckError
from tests.attribution.networks import InPlaceTail
from tests.attribution.transformers import ViT, swin, vit
from tests.checks.models import honest, in_training_mode, loaded, with_gradients


def test_closed_form_and_differentiated_tail_equal_autograd() -> None:
    model = honest()
    assert set(model.layers) == {"last", "features.denseblock1"}
    assert gradients_equal_autograd(model).startswith("largest difference ")


def test_an_in_place_operation_behind_the_layer_is_no_defect() -> None:
    torch.manual_seed(0)
    model = loaded(InPlaceTail(), torch.randn(2, 1, 8, 8), honest().prepare, layers=("features",))
    gradients_equal_autograd(model)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g * 1.01,
        lambda g: -g,
        lambda g: g.roll(1, dims=1),
        torch.zeros_like,
        lambda g: g * torch.nan,
    ],
    ids=["scaled", "sign", "images-mixed-up", "zero", "nan"],
)
def test_wrong_gradients_are_found(change: Any) -> None:
    model = with_gradients(
        replace(honest(), layers={"features.denseblock1": ("features.denseblock1", 1)}), change
    )
    with pytest.raises(CheckError, match="differ from plain autograd"):
        gradients_equal_autograd(model)


@pytest.mark.parametrize("layers", [{}, {"last": ("class_layers.relu", 1)}])
def test_gradients_of_the_input_are_compared_where_a_method_reads_it(layers: Any) -> None:
    model = replace(honest(), reads_input=True, layers=layers)
    assert gradients_equal_autograd(model).startswith("largest difference ")
    of_input = (2, 1, *model.example.shape[1:])
    wrong = with_gradients(model, lambda g: g * 1.01 if g.shape == of_input else g)
    with pytest.raises(CheckError, match="differ from plain autograd"):
        gradients_equal_autograd(wrong)
    if layers:
        gradients_equal_autograd(replace(wrong, reads_input=False))


def test_one_wrong_layer_of_two_is_found() -> None:
    model = honest()
    last = model.read(model.example).gradients("last").shape
    with pytest.raises(CheckError, match="differ"):
        gradients_equal_autograd(with_gradients(model, lambda g: 2 * g if g.shape == last else g))


def test_the_wrong_call_of_a_module_is_found() -> None:
    """A module that is called twice, read at its first call and believed to be read at its second."""
    model = loaded(Twice(), torch.randn(2, 1, 8, 8), honest().prepare, layers=("act",))
    gradients_equal_autograd(model)
    module, nth = model.layers["act"]
    assert nth == 2
    with pytest.raises(CheckError, match="differ"):
        gradients_equal_autograd(replace(model, layers={"act": (module, 1)}))


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.act, self.second = nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Conv2d(3, 3, 1)
        self.linear = nn.Linear(3, 2)
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        features = self.act(self.second(self.act(self.first(inputs))))
        return self.linear((features**2).mean(dim=(2, 3)))


def test_a_tail_that_is_different_each_time_is_found() -> None:
    with pytest.raises(CheckError, match="differ from plain autograd"):
        gradients_equal_autograd(in_training_mode(nn.Dropout2d))


@pytest.mark.parametrize("whole", [True, False], ids=["whole network", "layers"])
def test_a_network_that_computes_without_gradients_is_named(*, whole: bool) -> None:
    class Frozen(Twice):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                features = self.second(self.act(self.first(inputs)))
            with torch.set_grad_enabled(not whole):
                return self.linear(features.mean(dim=(2, 3)) * torch.ones(3, requires_grad=True))

    model = loaded(Frozen(), torch.randn(2, 1, 8, 8), honest().prepare, layers=("second",))
    with pytest.raises(CheckError, match=r"it computes without gradients \(torch\.no_grad"):
        gradients_equal_autograd(model)


def test_nothing_of_the_network_is_changed() -> None:
    model = honest()
    gradients_equal_autograd(model)
    assert all(parameter.grad is None for parameter in model.network.parameters())
    assert not any(module._forward_hooks for module in model.network.modules())
    assert not model.example.requires_grad


@pytest.mark.parametrize(
    "network", [vit(registers=2), vit(pooled=True), swin()], ids=["vit", "pooled", "swin"]
)
def test_gradients_of_tokens_and_of_channels_that_come_last_are_compared_on_their_grid(network: Any) -> None:
    inputs = torch.randn(2, 1, 21, 29) if isinstance(network, ViT) else torch.randn(2, 1, 32, 48)
    layers = ("last", "blocks.1" if isinstance(network, ViT) else "first.1")
    model = loaded(network, inputs, honest().prepare, layers=layers)
    assert gradients_equal_autograd(model).startswith("largest difference ")
    for change in (lambda g: g * 1.01, lambda g: g.roll(1, dims=-1)):
        with pytest.raises(CheckError, match="differ from plain autograd"):
            gradients_equal_autograd(with_gradients(model, change))

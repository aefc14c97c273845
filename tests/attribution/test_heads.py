"""Heads: global average pool → linear is recognised, and nothing else is taken for it."""

from collections.abc import Callable

import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution.engine import open_engine
from pipeline.attribution.heads import Head as Found
from tests.attribution.networks import FlatHead, built


def head_at(network: nn.Module, inputs: Tensor, layer: str) -> Found | None:
    return open_engine(network, inputs, layers=[layer], memory_mb=1024).targets[layer].tail


class Head(nn.Module):
    """A convolution, then `tail` from its output (batch, 3, *grid) to 3 numbers, then linear layers."""

    def __init__(self, tail: Callable[[Tensor], Tensor], *, dimensions: int = 2) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.features = (nn.Conv2d if dimensions == 2 else nn.Conv3d)(1, 3, 3, padding=1)
        self.tail = tail
        self.decoy, self.linear = nn.Linear(3, 2), nn.Linear(3, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(self.tail(self.features(inputs)))


def mean(values: Tensor) -> Tensor:
    return values.flatten(2).mean(dim=2)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_linear_layer_behind_the_pool_is_found_among_others_of_its_shape(dimensions: int) -> None:
    network = Head(mean, dimensions=dimensions)
    inputs = torch.randn(2, 1, *[8] * dimensions)
    assert head_at(network, inputs, "features") == Found(network.linear, rectifies=False)
    network.tail = lambda values: mean(values.relu())
    assert head_at(network, inputs, "features") == Found(network.linear, rectifies=True)


@pytest.mark.parametrize(
    "tail",
    [
        lambda values: mean(values.relu() + values),
        lambda values: mean(values.sigmoid()),
        lambda values: values.flatten(2).amax(dim=2),
        lambda values: values.flatten(2).sum(dim=2),
        lambda values: mean(values[..., 1:-1]),
        lambda values: mean(values).tanh(),
        lambda values: mean(values) / mean(values).norm(dim=1, keepdim=True),
    ],
    ids=["leak", "sigmoid", "maximum", "sum", "crop", "tanh", "norm"],
)
def test_another_way_to_the_linear_layer_is_no_pooled_head(tail: Callable[[Tensor], Tensor]) -> None:
    assert head_at(Head(tail), torch.randn(2, 1, 8, 8), "features") is None


def test_a_relu_is_not_overlooked_where_nothing_happens_to_be_negative() -> None:
    network = Head(lambda values: mean(values.relu()))
    network.features.bias.data += 100
    found = open_engine(network, torch.randn(2, 1, 8, 8), layers=["features"], memory_mb=1024)
    assert found.targets["features"].tail == Found(network.linear, rectifies=True)
    dark = 1000 * torch.randn(1, 1, 8, 8)
    gradients = found.read(dark).gradients("features")
    positive = network.features(dark) > 0
    assert 0 < positive.sum() < positive.numel()
    assert torch.equal(gradients != 0, positive.expand_as(gradients))


def test_linear_layers_over_all_cells_are_no_pooled_head() -> None:
    assert head_at(FlatHead(torch.randn(2, 1, 4, 4)), torch.randn(2, 1, 4, 4), "features") is None


@pytest.mark.parametrize(("name", "module"), [("DenseNet121", "class_layers.out"), ("resnet18", "fc")])
def test_the_heads_of_known_architectures_are_found(name: str, module: str) -> None:
    network = built(name, 2)
    assert head_at(network, torch.randn(2, 1, 64, 64), "last") == Found(
        network.get_submodule(module), rectifies=False
    )


def test_a_head_is_found_in_bfloat16_too() -> None:
    torch.manual_seed(0)
    network = DenseNet(2, 1, 2, init_features=8, growth_rate=4, block_config=(2, 2)).eval().bfloat16()
    network.class_layers.out.float().register_forward_pre_hook(lambda _m, given: (given[0].float(),))
    assert head_at(network, torch.randn(2, 1, 48, 48).bfloat16(), "last") == Found(
        network.class_layers.out, rectifies=False
    )


@pytest.mark.parametrize(
    ("rectifies", "logit", "gradients"),
    [
        (False, 4 * 2 - 8 * -1 + 0.5, [[2.0, 2.0], [-4.0, -4.0]]),
        (True, 4 * 2 - 8 * 0.5 + 0.5, [[2.0, 2.0], [0.0, -4.0]]),
    ],
)
def test_logits_and_gradients_by_hand(rectifies: bool, logit: float, gradients: list[list[float]]) -> None:  # noqa: FBT001
    linear = nn.Linear(2, 1)
    linear.weight.data, linear.bias.data = torch.tensor([[4.0, -8.0]]), torch.tensor([0.5])
    activations = torch.tensor([[[[1.0, 3.0]], [[-3.0, 1.0]]]])
    head = Found(linear, rectifies=rectifies)
    assert head.logits(activations).tolist() == [[logit]]
    assert head.gradients(activations)[0, 0, :, 0].tolist() == gradients

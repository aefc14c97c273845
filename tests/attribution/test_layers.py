"""Target layers by name, by stride, and automatic."""

import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution.layers import Call, resolve, trace
from pipeline.errors import ConfigError

INPUTS = torch.zeros(1, 1, 64, 64)


@pytest.fixture(scope="module")
def calls() -> tuple[Call, ...]:
    network = DenseNet(2, 1, 2, init_features=8, growth_rate=4, block_config=(2, 2, 2))
    return trace(network.eval(), INPUTS)


def test_last_is_the_activation_before_global_pooling(calls: tuple[Call, ...]) -> None:
    assert resolve(calls, INPUTS, "last").module == "class_layers.relu"


@pytest.mark.parametrize(("stride", "grid"), [(2, 32), (4, 16), (8, 8), (16, 4)])
def test_a_stride_gives_the_last_grid_of_that_size(calls: tuple[Call, ...], stride: int, grid: int) -> None:
    found = resolve(calls, INPUTS, f"stride{stride}")
    assert found.shape[2:] == (grid, grid)
    later = calls[calls.index(found) + 1 :]
    assert all(call.shape[2:] != (grid, grid) for call in later)


def test_a_stride_that_is_not_there_names_those_that_are(calls: tuple[Call, ...]) -> None:
    with pytest.raises(ConfigError, match=r"no activation of stride 3, only \[2, 4, 8, 16\]"):
        resolve(calls, INPUTS, "stride3")


def test_a_misspelt_module_is_corrected(calls: tuple[Call, ...]) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'features\.denseblock1'"):
        resolve(calls, INPUTS, "features.densblock1")


def test_a_layer_without_a_grid_is_refused(calls: tuple[Call, ...]) -> None:
    with pytest.raises(ConfigError, match="has no grid"):
        resolve(calls, INPUTS, "class_layers.out")


def test_a_module_called_twice_is_read_at_its_last_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()
            self.linear = nn.Linear(1, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.linear(self.relu(self.relu(inputs) - 1).mean(dim=(2, 3)))

    assert resolve(trace(Twice(), INPUTS), INPUTS, "relu").nth == 2


def test_tracing_leaves_no_hook_behind_even_when_the_network_fails() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 3))
    with pytest.raises(RuntimeError):
        trace(network, INPUTS)
    assert not network[0]._forward_hooks

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
    with pytest.raises(
        ConfigError, match=r"no activation of stride 3, only \[2, 4, 8, 16\]; choose one of these"
    ):
        resolve(calls, INPUTS, "stride3")


def test_a_misspelt_module_is_corrected(calls: tuple[Call, ...]) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'features\.denseblock1'"):
        resolve(calls, INPUTS, "features.densblock1")


def test_a_layer_without_a_grid_is_refused(calls: tuple[Call, ...]) -> None:
    with pytest.raises(ConfigError, match="has no grid; choose a layer before the global pooling"):
        resolve(calls, INPUTS, "class_layers.out")


def test_a_module_called_twice_is_read_at_its_last_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu = nn.ReLU()
            self.linear = nn.Linear(1, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.linear(self.relu(self.relu(inputs) - 1).mean(dim=(2, 3)))

    found = trace(Twice(), INPUTS)
    assert (
        resolve(found, INPUTS, "relu") == resolve(found, INPUTS, "last") == resolve(found, INPUTS, "relu#2")
    )
    assert [resolve(found, INPUTS, f"relu#{nth}").nth for nth in (1, 2)] == [1, 2]
    for nth in (0, 3):
        with pytest.raises(
            ConfigError, match=rf"layer 'relu#{nth}': the module is called 2 times; choose #1 to #2"
        ):
            resolve(found, INPUTS, f"relu#{nth}")


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
def test_a_pool_to_a_fixed_grid_comes_behind_the_last_layer(pool: type[nn.Module]) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1, stride=2), nn.ReLU(), pool(7), nn.Flatten(), nn.Linear(98, 1))
    found = trace(network, INPUTS)
    assert resolve(found, INPUTS, "last").module == "1"
    assert resolve(found, INPUTS, "2").shape == (1, 2, 7, 7)
    with pytest.raises(ConfigError, match=r"no activation of stride 9, only \[2\]; choose one of these"):
        resolve(found, INPUTS, "stride9")


def test_a_network_without_any_grid_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 2))
    with pytest.raises(ConfigError, match="layer 'last': the network has no activation with a grid"):
        resolve(trace(network, INPUTS), INPUTS, "last")


def test_gates_of_one_cell_are_no_grid() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.gate = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 1)
            self.linear = nn.Linear(2, 1)

        def forward(self, inputs: Tensor) -> Tensor:
            features = self.features(inputs)
            return self.linear(
                (features * self.gate(features.mean(dim=(2, 3), keepdim=True))).mean(dim=(2, 3))
            )

    assert resolve(trace(Gated(), INPUTS), INPUTS, "last").module == "features"


def test_the_stride_of_a_volume_is_that_of_its_coarsest_axis() -> None:
    volume = torch.zeros(1, 1, 16, 32, 32)
    network = nn.Sequential(
        nn.Conv3d(1, 1, 1, stride=(1, 2, 2)), nn.Conv3d(1, 1, 1, stride=(2, 1, 1)), nn.ReLU()
    )
    found = trace(network, volume)
    assert resolve(found, volume, "stride2").shape == (1, 1, 8, 16, 16)
    with pytest.raises(ConfigError, match=r"no activation of stride 1, only \[2\]; choose one of these"):
        resolve(found, volume, "stride1")


def test_tracing_does_not_let_the_network_overwrite_its_input() -> None:
    inputs = -torch.ones(1, 1, 4, 4)
    trace(nn.Sequential(nn.ReLU(inplace=True)), inputs)
    assert torch.equal(inputs, -torch.ones(1, 1, 4, 4))


def test_tracing_leaves_no_hook_behind_even_when_the_network_fails() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 3))
    with pytest.raises(RuntimeError):
        trace(network, INPUTS)
    assert not network[0]._forward_hooks


class Leaving(nn.Module):
    """A network whose features pass through NumPy."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        features = torch.from_numpy(self.first(inputs).detach().numpy())
        return self.head(self.second(features).mean(dim=(2, 3)))


def test_after_a_step_outside_of_torch_last_is_no_earlier_layer_in_silence() -> None:
    calls = trace(Leaving().eval(), INPUTS)
    assert [call.module for call in calls if call.cells] == ["first"]
    with pytest.raises(ConfigError, match=r"layer 'last'.*is unknown after"):
        resolve(calls, INPUTS, "last")


def test_a_layer_whose_place_is_lost_is_refused_by_name() -> None:
    class Rolled(Leaving):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.second(self.first(inputs).roll(3, dims=2)).mean(dim=(2, 3)))

    calls = trace(Rolled().eval(), INPUTS)
    with pytest.raises(
        ConfigError, match=r"layer 'second'.*unknown after the operation roll; name a layer before"
    ):
        resolve(calls, INPUTS, "second")

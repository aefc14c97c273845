"""Laws that every registered attribution method obeys, on a DenseNet with every kind of target layer."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.errors import ConfigError

LAYERS = {"cam": ("last",)}
"""Methods that cannot serve every layer; the others are tried at all of `ALL_LAYERS`."""
ALL_LAYERS = ("last", "stride8", "features.denseblock1")
CASES = [(name, layer) for name in METHODS for layer in LAYERS.get(name, ALL_LAYERS)]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return DenseNet(2, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2, 2)).eval()


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    return torch.randn(3, 1, 64, 48, generator=torch.Generator().manual_seed(1))


def opened(network: nn.Module, inputs: Tensor, method: str, layer: str) -> Explainer:
    return open_explainer(network, methods=[method], default_layer=layer, example=inputs)


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_maps_are_finite_and_on_the_layers_grid(
    network: nn.Module, inputs: Tensor, method: str, layer: str
) -> None:
    explainer = opened(network, inputs, method, layer)
    relevance = explainer.explain(inputs).maps[method]
    assert relevance.shape == (3, 3, *explainer.targets[layer].call.shape[2:])
    assert relevance.dtype == np.float32
    assert np.isfinite(relevance).all()
    assert np.ptp(relevance) > 0


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_a_batch_equals_its_images_one_by_one(
    network: nn.Module, inputs: Tensor, method: str, layer: str
) -> None:
    explainer = opened(network, inputs, method, layer)
    together = explainer.explain(inputs).maps[method]
    alone = np.concatenate([explainer.explain(inputs[i : i + 1]).maps[method] for i in range(3)])
    assert np.abs(together - alone).max() <= 1e-5 * np.abs(alone).max()


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_the_same_input_gives_the_same_map(
    network: nn.Module, inputs: Tensor, method: str, layer: str
) -> None:
    explainer = opened(network, inputs, method, layer)
    first, second = (explainer.explain(inputs).maps[method] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_nothing_of_the_network_is_changed(
    network: nn.Module, inputs: Tensor, method: str, layer: str
) -> None:
    before = deepcopy(network.state_dict())
    graded = [parameter.requires_grad for parameter in network.parameters()]
    opened(network, inputs, method, layer).explain(inputs)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert [parameter.requires_grad for parameter in network.parameters()] == graded
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks or module.training for module in network.modules())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_a_network_whose_weights_are_not_finite_is_refused(
    network: nn.Module, inputs: Tensor, method: str, layer: str
) -> None:
    broken = deepcopy(network)
    broken.class_layers.out.weight.data[0, 0] = torch.nan
    with pytest.raises(ConfigError):
        opened(broken, inputs, method, layer)

"""Classics: Grad-CAM of the field's networks is that of plain autograd in double precision.

The engine runs in double precision, too, so that both decide alike at every ReLU and maximum pool; its maps
are then rounded to single precision once.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import CLASSICS, lively

GRID = (96, 80)
LAST: Mapping[str, tuple[str, tuple[int, int]]] = {
    "AlexNet": ("features", (2, 1)),  # behind the last maximum pool
    "VGG16": ("features", (3, 2)),
    "ResNet50": ("layer4", (3, 3)),
    "ResNet101": ("layer4", (3, 3)),
    "DenseNet161": ("class_layers.relu", (3, 2)),
    "SqueezeNet1_1": ("classifier.2", (5, 4)),  # maps of the findings, whose means are the logits
    "Xception": ("relu4", (3, 3)),
}
"""Class → the layer before the global pooling or the linear layers, and its grid."""
WITHOUT_GAP_HEAD = {"AlexNet", "VGG16", "SqueezeNet1_1"}
ROUNDING = 16 * torch.finfo(torch.float32).eps
"""Of the sum of the terms' sizes: single precision rounds weights, activations, products and their sum."""


@pytest.fixture(scope="module", params=CLASSICS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    return lively(name, size=GRID).double()


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    return torch.randn(2, 3, *GRID, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture(scope="module")
def explainer(network: nn.Module, inputs: Tensor) -> Explainer:
    return open_explainer(network, methods=["gradcam"], example=inputs)


def plain_gradcam(network: nn.Module, inputs: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Maps (batch, findings, *grid), gradients summed over the grid, and the sums of their terms' sizes."""
    kept: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = network(inputs.clone().requires_grad_())
    handle.remove()
    maps, sizes = [], []
    for finding in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), kept[-1], retain_graph=True)
        weights = gradient.sum(dim=(2, 3), keepdim=True)
        maps.append((weights * kept[-1]).sum(dim=1))
        sizes.append((weights * kept[-1]).abs().sum(dim=1))
    return torch.stack(maps, dim=1).detach(), torch.stack(sizes, dim=1).detach()


def test_last_is_the_layer_before_the_global_pooling_or_the_linear_layers(
    name: str, explainer: Explainer
) -> None:
    call = explainer.targets["last"].call
    assert (call.module, call.grid) == LAST[name]


def test_gradcam_is_that_of_plain_autograd_in_double_precision(
    name: str, network: nn.Module, inputs: Tensor, explainer: Explainer
) -> None:
    exact, sizes = plain_gradcam(network, inputs, LAST[name][0])
    ours = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])
    assert float(exact.abs().max()) > 0
    assert bool(((ours - exact).abs() <= ROUNDING * sizes).all())


def test_cam_exists_where_only_a_global_average_pool_and_a_linear_layer_follow(
    name: str, network: nn.Module, inputs: Tensor, explainer: Explainer
) -> None:
    if name in WITHOUT_GAP_HEAD:
        with pytest.raises(
            ConfigError, match="is not followed by a global average pool and one linear layer"
        ):
            open_explainer(network, methods=["cam"], example=inputs)
        return
    maps = open_explainer(network, methods=["cam"], example=inputs).explain(inputs)
    torch.testing.assert_close(maps.maps["cam"], explainer.explain(inputs).maps["gradcam"])


def test_the_mean_of_a_squeezenets_map_is_its_logit(name: str, inputs: Tensor, explainer: Explainer) -> None:
    if name == "SqueezeNet1_1":
        found = explainer.explain(inputs)
        torch.testing.assert_close(
            torch.from_numpy(found.maps["gradcam"]).mean(dim=(2, 3)), torch.from_numpy(found.logits)
        )


def test_single_precision_gives_the_same_maps(name: str, network: nn.Module, inputs: Tensor) -> None:
    exact, _ = plain_gradcam(network, inputs, LAST[name][0])
    single = deepcopy(network).float()
    explainer = open_explainer(single, methods=["gradcam"], example=inputs.float())
    ours = torch.from_numpy(explainer.explain(inputs.float()).maps["gradcam"])
    assert float((ours - exact).abs().max() / exact.abs().max()) < 1e-4

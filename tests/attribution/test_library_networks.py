"""Networks of torchvision and timm: maps are those of plain autograd in double precision, from a card.

As in `test_classics`, the engine runs in double precision, so that both decide alike at every kink.
"""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers.classifier import classifier_of
from pipeline.classifiers.networks import build_network
from tests.attribution.test_classics import ROUNDING, plain_gradcam
from tests.classifiers.architectures.installed import is_installed
from tests.classifiers.architectures.networks import card_of

SIZE = (96, 80)
ASKED = {"transform_input": True}
"""What inception_v3 and googlenet scale inputs by if they were made with pretrained weights."""
NETWORKS = {
    "torchvision:inception_v3": ("Mixed_7a.branch7x7x3_3", (4, 3), False),  # Mixed_7c has one cell
    "torchvision:googlenet": ("inception5b", (3, 3), True),
    "torchvision:convnext_tiny": ("features", (3, 2), False),
    "torchvision:efficientnet_b0": ("features", (3, 3), True),
    "torchvision:efficientnet_v2_s": ("features", (3, 3), True),
    "torchvision:mobilenet_v2": ("features", (3, 3), True),
    "torchvision:mobilenet_v3_small": ("features", (3, 3), False),
    "torchvision:mnasnet0_5": ("layers", (3, 3), True),
    "torchvision:regnet_x_400mf": ("trunk_output", (3, 3), True),
    "torchvision:regnet_y_400mf": ("trunk_output", (3, 3), True),
    "torchvision:resnext50_32x4d": ("layer4", (3, 3), True),
    "torchvision:shufflenet_v2_x0_5": ("conv5", (3, 3), True),
    "timm:inception_v3": ("Mixed_7a.branch7x7x3_3", (4, 3), False),
    "timm:inception_v4": ("features.18.branch1.2", (4, 3), False),
    "timm:convnext_atto": ("norm_pre", (3, 2), False),
    "timm:efficientnet_b0": ("bn2", (3, 3), True),
    "timm:tf_efficientnet_b0": ("bn2", (3, 3), True),  # padded as in TensorFlow
    "timm:mobilenetv3_small_050": ("blocks", (3, 3), False),
    "timm:mobilenetv4_conv_small_050": ("blocks", (3, 3), False),
    "timm:regnetx_002": ("final_conv", (3, 3), True),
    "timm:regnety_002": ("final_conv", (3, 3), True),
    "timm:legacy_xception": ("act4", (3, 3), True),
    "timm:xception41": ("act", (3, 3), True),
    "timm:xception71": ("act", (3, 3), True),
    "timm:resnet18": ("layer4", (3, 3), True),
}
"""Name on a card → the layer "last", its grid, and whether only a global average pool and a linear layer
follow."""


@pytest.fixture(scope="module", params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    library = str(request.param).partition(":")[0]
    if not is_installed(library):
        pytest.skip(f"{library} is not installed; make test-libraries installs it")
    return str(request.param)


def built(name: str, *, size: tuple[int, int] = SIZE) -> nn.Module:
    """The network of a card with random weights, and statistics of batch norm unlike 0 and 1."""
    torch.manual_seed(0)
    asked = ASKED if name in {"torchvision:inception_v3", "torchvision:googlenet"} else {}
    network = build_network(card_of(name, size=size, **asked))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    return built(name).eval().double()


@pytest.fixture(scope="module")
def inputs() -> Tensor:
    return torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_gradcam_is_that_of_plain_autograd(name: str, network: nn.Module, inputs: Tensor) -> None:
    explainer = open_explainer(network, methods=["gradcam"], example=inputs)
    target, (layer, grid, has_head) = explainer.targets["last"], NETWORKS[name]
    assert (target.call.module, target.call.grid) == (layer, grid)
    assert (target.head is not None) == has_head
    exact, sizes = plain_gradcam(network, inputs, layer)
    ours = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])
    assert float(exact.abs().max()) > 0
    assert bool(((ours - exact).abs() <= ROUNDING * sizes).all())


@pytest.mark.parametrize(("name", "count"), [("inception_v3", 1), ("googlenet", 2)])
def test_second_heads_of_a_network_in_training_mode_change_nothing(name: str, count: int) -> None:
    """They give further logits in training mode alone, in which a notebook may leave the network."""
    if not is_installed("torchvision"):
        pytest.skip("torchvision is not installed; make test-libraries installs it")
    card = card_of(f"torchvision:{name}", size=SIZE, **ASKED)
    network = built(f"torchvision:{name}").train()
    heads = [one for one in network.state_dict() if re.match(r"(?i)aux.*\.fc2?\.weight", one)]
    assert len(heads) == count
    classifier = classifier_of(network, card, device="cpu", precision="float32")
    images = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = classifier.network(images)
        assert network.training
        torch.testing.assert_close(found, network.eval()(images))


def test_the_last_grid_of_a_large_input_is_that_of_the_last_block() -> None:
    if not is_installed("torchvision"):
        pytest.skip("torchvision is not installed; make test-libraries installs it")
    network = built("torchvision:inception_v3", size=(155, 139)).eval()
    explainer = open_explainer(network, methods=["cam"], example=torch.zeros(1, 3, 155, 139))
    call = explainer.targets["last"].call
    assert (call.module, call.grid) == ("Mixed_7c", (3, 3))

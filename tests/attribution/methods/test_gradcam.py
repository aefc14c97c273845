"""Grad-CAM, worked by hand, and against plain autograd in double precision."""

import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from tests.attribution.networks import FlatHead, GapHead, InPlaceTail
from tests.attribution.plain import CORNER, CROSS


def test_gradcam_without_pooling_by_hand() -> None:
    # One finding, two 2 × 2 channels; the gradient is the linear layer's weights, in sum 3 and -1.
    gradient = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]], [[-1.0, 0.0], [0.0, 0.0]]]])
    inputs = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]])
    explainer = open_explainer(
        FlatHead(gradient), methods=["gradcam"], default_layer="features", example=inputs
    )
    assert torch.from_numpy(explainer.explain(inputs).maps["gradcam"])[0, 0].tolist() == [
        [3 * 1 - 5, 3 * 2 - 6],
        [3 * 3 - 7, 3 * 4 - 8],
    ]


def test_gradcam_of_a_cross_and_a_corner_by_hand() -> None:
    # The gradient of the cross's channel is 1 to 25 along the rows, in sum 325; the corner's sums to -2.
    gradient = torch.stack([torch.arange(1.0, 26).reshape(5, 5), torch.zeros(5, 5)])
    gradient[1, 3] = torch.tensor([1.0, -4, 0, 0, 1])
    network, inputs = FlatHead(gradient[None]), torch.stack([CROSS, CORNER])[None]
    explainer = open_explainer(network, methods=["gradcam"], default_layer="features", example=inputs)
    relevance = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])[0, 0]
    assert torch.equal(relevance, 325 * CROSS - 2 * CORNER)


def test_gradcam_on_a_five_by_five_gap_head_by_hand() -> None:
    # Behind the ReLU the gradient is w/25 in each of 25 cells, so its sum is w, the map w · activation.
    activation = torch.arange(25.0).reshape(1, 1, 5, 5) - 4
    network = GapHead(weights=[[2.0]], bias=[0.0])
    explainer = open_explainer(network, methods=["gradcam"], default_layer="last", example=activation)
    relevance = torch.from_numpy(explainer.explain(activation).maps["gradcam"])[0, 0]
    assert torch.equal(relevance, 2 * activation[0, 0].clamp_min(0))


@pytest.mark.parametrize("layer", ["last", "features", "stride4", "features.denseblock1"])
def test_closed_form_and_tail_equal_plain_autograd_on_a_densenet(layer: str) -> None:
    torch.manual_seed(0)
    network = DenseNet(
        spatial_dims=2, in_channels=1, out_channels=3, init_features=8, growth_rate=4, block_config=(2, 2)
    )
    _randomise_statistics(network)
    inputs = torch.randn(2, 1, 48, 32)
    explainer = open_explainer(network.eval(), methods=["gradcam"], default_layer=layer, example=inputs)
    ours = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])
    plain = _plain_gradcam(network, inputs, explainer.targets[layer].call.module)
    assert (ours - plain).abs().max() <= 1e-5 * plain.abs().max()


def test_an_in_place_relu_behind_the_layer_changes_nothing() -> None:
    torch.manual_seed(1)
    network = InPlaceTail()
    inputs = torch.randn(2, 1, 6, 5)
    explainer = open_explainer(network, methods=["gradcam"], default_layer="features", example=inputs)
    ours = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])
    network.relu.inplace = False
    plain = _plain_gradcam(network, inputs, "features")
    assert (ours - plain).abs().max() <= 1e-5 * plain.abs().max()


def _plain_gradcam(network: nn.Module, inputs: Tensor, module: str) -> Tensor:
    """The definition, finding by finding, in double precision, on a copy of the activations."""
    kept: list[Tensor] = []
    network = network.double()
    handle = network.get_submodule(module).register_forward_hook(
        lambda _m, _i, output: kept.append(output) or output.clone()
    )
    maps = []
    for finding in range(network(inputs.double()).shape[1]):
        kept.clear()
        logits = network(inputs.double().requires_grad_())
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), kept[-1])
        maps.append((gradient.sum(dim=(2, 3), keepdim=True) * kept[-1].detach()).sum(dim=1))
    handle.remove()
    network.float()
    return torch.stack(maps, dim=1)


def _randomise_statistics(network: nn.Module) -> None:
    """Batch norm statistics unlike 0 and 1, as in a trained network."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)

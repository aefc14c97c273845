"""Guided backpropagation, worked by hand for every way to call a ReLU, and against Captum."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from captum.attr import GuidedBackprop
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.families import GRIDS, family
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, explained, random_inputs


class Pixelwise(nn.Module):
    """Σ over pixels of 3 · relu(x − 1) − 2 · relu(x + 1)."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.relu = relu
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        pixels = inputs.flatten(1)
        return (3 * self.relu(pixels - 1) - 2 * self.relu(pixels + 1)).sum(dim=1, keepdim=True)


def overwritten(values: Tensor) -> Tensor:
    values.relu_()  # and what it returns is not used
    return values


def overwritten_by_a_module(values: Tensor) -> Tensor:
    nn.ReLU(inplace=True)(values)
    return values


WAYS = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU in place": nn.ReLU(inplace=True),
    "functional": functional.relu,
    "functional in place": lambda values: functional.relu(values, inplace=True),
    "functional in place, by position": lambda values: functional.relu(values, True),
    "functional by keyword": lambda values: functional.relu(input=values),
    "functional with underscore": functional.relu_,
    "torch": torch.relu,
    "torch in place": torch.relu_,
    "method": Tensor.relu,
    "method in place": Tensor.relu_,
    "overwritten": overwritten,
    "overwritten by a module": overwritten_by_a_module,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_relu_passes_positive_gradients_alone_however_it_is_called(way: str) -> None:
    # At -2 no ReLU is open, at 0 the one with weight -2 is, at 2 both; the gradients were 0, -2 and 3 - 2.
    inputs = torch.tensor([[[[-2.0, 0.0, 2.0]]]])
    assert explained(Pixelwise(WAYS[way]), inputs, "guided_backprop").tolist() == [[[[0, 0, 3]]]]


def test_channels_are_summed_with_their_signs() -> None:
    network = nn.Sequential(FlatHead(torch.tensor([[[[2.0, 1.0]], [[-5.0, 1.0]]]])), nn.ReLU()).eval()
    relevance = explained(
        network, torch.ones(2, 2, 1, 2) * torch.tensor([[[[4.0, 1.0]], [[1.0, 1.0]]]]), "guided_backprop"
    )
    assert relevance.tolist() == [[[[-3, 2]]]] * 2


@pytest.mark.parametrize(("name", "dimensions"), [("vgg", 2), ("vgg", 3), ("densenet", 2)])
def test_guided_backprop_equals_captums(name: str, dimensions: int) -> None:
    network, inputs = family(name, dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    ours = explained(network, inputs, "guided_backprop")
    theirs = deepcopy(network)
    for module in theirs.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False  # its hooks refuse what is overwritten
    captum = GuidedBackprop(theirs)
    leaf = inputs.requires_grad_()
    with pytest.warns(UserWarning, match="backward hooks on ReLU"):
        maps = [captum.attribute(leaf, target=k)[:, 0].detach() for k in range(3)]
    assert_close(ours, torch.stack(maps, dim=1))


def test_a_bound_on_memory_changes_nothing() -> None:
    network, inputs = family("resnet"), random_inputs(3, 1, *GRIDS[2])
    explainer = open_explainer(network, methods=["guided_backprop"], example=inputs, memory_mb=0.1)
    assert explainer.read(inputs).rows == 1
    assert_close(
        torch.tensor(explainer.explain(inputs).maps["guided_backprop"]),
        explained(network, inputs, "guided_backprop"),
    )


def test_a_network_without_relu_is_refused() -> None:
    with pytest.raises(ConfigError, match="the network has no ReLU; use 'saliency'"):
        explained(FlatHead(torch.ones(1, 1, 2, 2)), random_inputs(2, 1, 2, 2), "guided_backprop")

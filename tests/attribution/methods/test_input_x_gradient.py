"""Input × gradient, worked by hand, and the sum that it keeps to."""

import pytest
import torch
from captum.attr import InputXGradient

from tests.attribution.families import GRIDS, family
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, explained, random_inputs


def test_input_x_gradient_is_the_sum_over_channels_by_hand() -> None:
    weights = torch.tensor([[[[1.0, 0.0]], [[-3.0, 2.0]]]])
    inputs = torch.tensor([[[[2.0, 5.0]], [[1.0, -1.0]]]])
    assert explained(FlatHead(weights), inputs, "input_x_gradient").tolist() == [[[[2 - 3, -2]]]]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_without_biases_the_cells_sum_to_the_logit(dimensions: int) -> None:
    network, inputs = family("resnet", dimensions, biases=False), random_inputs(2, 1, *GRIDS[dimensions])
    relevance = explained(network, inputs, "input_x_gradient")
    assert_close(relevance.flatten(2).sum(dim=2), network(inputs).detach())


def test_input_x_gradient_equals_captums() -> None:
    network, inputs = family("alexnet"), random_inputs(2, 1, *GRIDS[2])
    ours = explained(network, inputs, "input_x_gradient")
    captum = InputXGradient(network)
    leaf = inputs.requires_grad_()
    theirs = torch.stack([captum.attribute(leaf, target=k)[:, 0].detach() for k in range(3)], dim=1)
    assert_close(ours, theirs)

"""Grad-CAM++, worked by hand, and against its general form and plain autograd."""

import pytest
import torch
from torch import Tensor

from tests.attribution.networks import FlatHead, GapHead
from tests.attribution.plain import (
    CORNER,
    CROSS,
    PLACES,
    activations_and_gradients,
    assert_close,
    densenet,
    explained,
    random_inputs,
)


def test_gradcampp_of_a_cross_by_hand() -> None:
    gradient = torch.zeros(5, 5)
    gradient[2] = torch.tensor([1.0, 1, 0, 2, -1])
    activation = CROSS * 2 / 9  # 2 in sum
    relevance = explained(FlatHead(gradient[None, None]), activation[None, None], "gradcam++", "features")
    # α = g² / (2g² + 2g³) is 1/4 where g is 1, 1/6 where it is 2: 1/4 · 1 + 1/4 · 1 + 1/6 · 2 = 5/6.
    assert_close(relevance[0, 0], 5 / 6 * activation)


def test_gradcampp_on_a_gap_head_by_hand() -> None:
    # g = w/25 in all 25 cells; the cross sums to 9, the corner to 4: Σ α · g = w / (2 + w · 9/25).
    network = GapHead(weights=[[5.0, 25.0], [-5.0, 0.0]], bias=[0.0, 0.0])
    relevance = explained(network, torch.stack([CROSS, CORNER])[None], "gradcam++")
    assert_close(relevance[0, 0], 5 / 3.8 * CROSS + 25 / 6 * CORNER)
    assert torch.equal(relevance[0, 1], torch.zeros(5, 5))


def test_the_closed_form_equals_the_general_form_for_the_exponential_of_the_score() -> None:
    """Equation 10 of the paper, its second and third derivatives of Y = exp(S) by autograd."""
    gradient, activation = random_inputs(1, 3, 5, 5), random_inputs(1, 3, 5, 5).abs().roll(1)
    cells = activation[0].double().flatten(1).requires_grad_()
    score = torch.exp((gradient[0].double().flatten(1) * cells).sum())
    first = torch.autograd.grad(score, cells, create_graph=True)[0]
    second = derivative_of_each(first, cells)
    third = derivative_of_each(second, cells)
    alpha = second / (2 * second + cells.sum(dim=1, keepdim=True) * third)
    weights = (alpha * first.clamp_min(0)).sum(dim=1) / score
    exact = torch.einsum("c,cyx->yx", weights, activation[0].double()).detach()
    assert_close(explained(FlatHead(gradient), activation, "gradcam++", "features")[0, 0], exact)


def derivative_of_each(values: Tensor, cells: Tensor) -> Tensor:
    """∂values[c, i] / ∂cells[c, i]."""
    rows = [torch.autograd.grad(value, cells, create_graph=True)[0].flatten() for value in values.flatten()]
    return torch.stack(rows).diagonal().reshape(cells.shape)


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_gradcampp_equals_the_paper_in_double_precision(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, g = activations_and_gradients(network, inputs, layer)
    dims = tuple(range(-len(grid), 0))
    alpha = g**2 / (2 * g**2 + activations.sum(dims, keepdim=True) * g**3)
    weights = (alpha * g.clamp_min(0)).nan_to_num().sum(dims)
    exact = torch.einsum("kbc,bc...->bk...", weights, activations)
    assert_close(explained(network, inputs, "gradcam++", layer), exact)


def test_a_channel_whose_coefficient_has_no_value_is_left_out() -> None:
    # The first channel sums to -2 where the gradient is 1: 2g² + ΣA · g³ is 0.
    gradient = torch.zeros(1, 2, 5, 5)
    gradient[0, 0, 0, 0], gradient[0, 1, 0, 0] = 1.0, 1.0
    inputs = torch.stack([-CORNER / 2, CORNER / 2])[None]
    relevance = explained(FlatHead(gradient), inputs, "gradcam++", "features")
    assert_close(relevance[0, 0], CORNER / 2 / 4)

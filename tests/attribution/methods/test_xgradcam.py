"""XGrad-CAM, worked by hand, and against plain autograd."""

import pytest
import torch

from tests.attribution.networks import FlatHead
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


def test_xgradcam_by_hand() -> None:
    # The gradient, 0 to 24 along the rows, averages 12 over the cross, and is 0 where the corner is.
    gradient = torch.arange(25.0).reshape(5, 5)
    inputs = torch.stack([CROSS, CORNER])[None]
    relevance = explained(FlatHead(torch.stack([gradient, gradient])[None]), inputs, "xgradcam", "features")
    assert_close(relevance[0, 0], 25 * 12 * CROSS)
    # Gradients 18, -2 and again 1 at the corner: weights 18 and 1.
    shifted = torch.stack([gradient + 6, 1 - gradient])[None]
    relevance = explained(FlatHead(shifted), inputs, "xgradcam", "features")
    assert_close(relevance[0, 0], 25 * (18 * CROSS + CORNER))


def test_a_channel_that_sums_to_nothing_has_no_weight() -> None:
    balanced = CROSS.clone()
    balanced[2] = -0.8  # the other four cells are 1
    inputs = torch.stack([balanced, CORNER])[None]
    relevance = explained(FlatHead(random_inputs(1, 2, 5, 5)), inputs, "xgradcam", "features")
    gradient = random_inputs(1, 2, 5, 5)[0, 1, 0, 0]
    assert_close(relevance[0, 0], 25 * gradient * CORNER)


def test_a_dark_image_has_a_map_of_nothing() -> None:
    inputs = torch.stack([torch.zeros(1, 5, 5), CROSS[None]])
    relevance = explained(FlatHead(random_inputs(1, 1, 5, 5)), inputs, "xgradcam", "features")
    assert torch.equal(relevance[0, 0], torch.zeros(5, 5))
    assert relevance[1, 0].abs().max() > 0


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_xgradcam_equals_the_paper_in_double_precision(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, gradients = activations_and_gradients(network, inputs, layer)
    dims = tuple(range(-len(grid), 0))
    shares = (activations / activations.sum(dims, keepdim=True)).nan_to_num()
    weights = (shares * gradients).sum(dims)
    cells = activations[0, 0].numel()
    exact = cells * torch.einsum("kbc,bc...->bk...", weights, activations)
    # Before a ReLU positive and negative activations cancel: rounding is magnified by what their sum lost.
    magnified = (activations.abs().sum(dims) / activations.sum(dims).abs()).nan_to_num().max().item()
    assert_close(explained(network, inputs, "xgradcam", layer), exact, tolerance=max(1e-5, 5e-7 * magnified))


def test_a_map_sums_to_gradient_times_activation() -> None:
    network, inputs = densenet(), random_inputs(2, 1, 48, 32)
    layer = "features.transition1.relu"
    activations, gradients = activations_and_gradients(network, inputs, layer)
    conserved = activations[0, 0].numel() * (gradients * activations).sum(dim=(2, 3, 4)).T
    assert_close(explained(network, inputs, "xgradcam", layer).sum(dim=(2, 3)), conserved)

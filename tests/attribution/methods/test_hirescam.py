"""HiResCAM, worked by hand, and against plain autograd."""

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


def test_hirescam_by_hand() -> None:
    gradient = torch.arange(25.0).reshape(5, 5) - 2
    inputs = torch.stack([CROSS, CORNER])[None]
    network = FlatHead(torch.stack([gradient, -gradient])[None])
    relevance = explained(network, inputs, "hirescam", "features")
    # Along the cross the gradient itself; at the corner -(-2) · 4; each times 25 cells.
    assert relevance[0, 0].div(25).tolist() == [
        [8, 0, 0, 0, 0],
        [0, 0, 5, 0, 0],
        [8, 9, 10, 11, 12],
        [0, 0, 15, 0, 0],
        [0, 0, 20, 0, 0],
    ]
    assert relevance.mean() == network(inputs)[0, 0]


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_hirescam_equals_the_paper_in_double_precision(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, gradients = activations_and_gradients(network, inputs, layer)
    exact = activations[0, 0].numel() * (gradients * activations).sum(dim=2).transpose(0, 1)
    assert_close(explained(network, inputs, "hirescam", layer), exact)


@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_with_a_linear_head_hirescam_gradcam_xgradcam_and_cam_are_one(grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    cam = explained(network, inputs, "cam")
    for method in ("gradcam", "hirescam", "xgradcam"):
        assert_close(explained(network, inputs, method), cam)

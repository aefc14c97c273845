"""LayerCAM, worked by hand, and against plain autograd."""

import pytest
import torch

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


def test_layercam_by_hand() -> None:
    gradient = torch.arange(25.0).reshape(5, 5) - 11
    inputs = torch.stack([CROSS, CORNER])[None]
    network = FlatHead(torch.stack([gradient, -gradient])[None])
    # Only the cells whose gradient is positive: the cross from its middle on; the corner, 11 · 4.
    assert explained(network, inputs, "layercam", "features")[0, 0].div(25).tolist() == [
        [44, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 1, 2, 3],
        [0, 0, 6, 0, 0],
        [0, 0, 11, 0, 0],
    ]


def test_layercam_on_a_gap_head_leaves_out_negative_weights() -> None:
    network = GapHead(weights=[[1.0, -3.0], [2.0, 0.5]], bias=[0.0, 0.0])
    relevance = explained(network, torch.stack([CROSS, CORNER])[None], "layercam")
    assert torch.equal(relevance[0], torch.stack([CROSS, 2 * CROSS + 0.5 * CORNER]))


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_layercam_equals_the_paper_in_double_precision(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, gradients = activations_and_gradients(network, inputs, layer)
    exact = activations[0, 0].numel() * (gradients.relu() * activations).sum(dim=2).transpose(0, 1)
    assert_close(explained(network, inputs, "layercam", layer), exact)

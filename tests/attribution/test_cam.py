"""CAM, worked by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import Explanation, open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import FlatHead, GapHead


def explained(network: nn.Module, inputs: Tensor) -> Explanation:
    explainer = open_explainer(network, methods=["cam"], default_layer="last", example=inputs)
    return explainer.explain(inputs)


CROSS = torch.tensor(
    [
        [0.0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
    ]
)
CORNER = torch.zeros(5, 5)
CORNER[0, 0] = 4.0


def test_cam_of_a_cross_and_a_corner_by_hand() -> None:
    network = GapHead(weights=[[1.0, 0.5], [-1.0, 2.0]], bias=[0.1, -0.2])
    inputs = torch.stack([CROSS, CORNER])[None]
    explanation = open_explainer(network, methods=["cam"], default_layer="last", example=inputs).explain(
        inputs
    )
    first, second = torch.from_numpy(explanation.maps["cam"])[0]
    assert torch.equal(first, CROSS + 0.5 * CORNER)
    assert torch.equal(second, 2 * CORNER - CROSS)
    # The cross fills 9 cells of 25, the corner holds 4: 9/25 + 0.5 · 4/25 + 0.1 and -9/25 + 2 · 4/25 - 0.2.
    assert explanation.logits[0] == pytest.approx([0.36 + 0.08 + 0.1, -0.36 + 0.32 - 0.2])


def test_spatial_mean_plus_bias_is_the_logit() -> None:
    network = GapHead(weights=[[1.0, -2.0], [0.3, 0.7]], bias=[0.5, -0.5])
    inputs = torch.randn(3, 2, 6, 4, generator=torch.Generator().manual_seed(0))
    explanation = open_explainer(network, methods=["cam"], default_layer="last", example=inputs).explain(
        inputs
    )
    assert explanation.maps["cam"].mean(axis=(2, 3)) + np.array([0.5, -0.5]) == pytest.approx(
        explanation.logits, abs=1e-6
    )


def test_a_network_without_the_head_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match=r"'cam' at layer 'last'.*use 'gradcam'"):
        open_explainer(
            FlatHead(torch.randn(2, 1, 4, 4)),
            methods=["cam"],
            default_layer="last",
            example=torch.randn(2, 1, 4, 4),
        )

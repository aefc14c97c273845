"""CAM, worked by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import FlatHead, GapHead
from tests.attribution.plain import CORNER, CROSS


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


def test_without_a_relu_before_the_pool_negative_activations_count() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)).eval()
    inputs = torch.randn(2, 1, 8, 7)
    explanation = open_explainer(network, methods=["cam@0"], example=inputs).explain(inputs)
    assert network[0](inputs).amin() < 0
    bias = network[3].bias.detach().numpy()
    assert explanation.maps["cam@0"].mean(axis=(2, 3)) + bias == pytest.approx(explanation.logits, abs=1e-6)


def test_a_network_without_the_head_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match=r"'cam' at layer 'last'.*use 'gradcam'"):
        open_explainer(
            FlatHead(torch.randn(2, 1, 4, 4)),
            methods=["cam"],
            default_layer="last",
            example=torch.randn(2, 1, 4, 4),
        )

"""Saliency, worked by hand, and against Captum."""

import torch
from captum.attr import Saliency

from tests.attribution.families import GRIDS, family
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, explained, random_inputs


def test_saliency_is_the_largest_weight_over_the_channels_whatever_its_sign() -> None:
    # One finding, two channels of 2 × 2; the gradient of a linear network is its weights.
    weights = torch.tensor([[[[1.0, 0.0], [0.5, 2.0]], [[-3.0, 0.0], [0.25, -1.0]]]])
    relevance = explained(FlatHead(weights), random_inputs(2, 2, 2, 2), "saliency")
    assert relevance.tolist() == [[[[3, 0], [0.5, 2]]]] * 2


def test_saliency_equals_captums() -> None:
    for dimensions, grid in GRIDS.items():
        network, inputs = family("squeezenet", dimensions), random_inputs(2, 1, *grid)
        ours = explained(network, inputs, "saliency")
        captum = Saliency(network)
        leaf = inputs.requires_grad_()
        theirs = torch.stack([captum.attribute(leaf, target=finding)[:, 0] for finding in range(3)], dim=1)
        assert_close(ours, theirs)

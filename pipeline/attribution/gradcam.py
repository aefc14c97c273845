"""Grad-CAM: activations weighted by the gradient of each logit."""

import torch
from torch import Tensor

from pipeline.attribution.cam import weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def gradcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU, which the contours apply.

    Selvaraju et al., ICCV 2017, equations 1 and 2, with the gradient *summed* over the grid instead of
    averaged: the same map times the number of cells, in logits where the head is a global average pool and
    one linear layer (there it is CAM, and no gradient is computed).
    """
    weights = forward.head_weights(layer)
    if weights is not None:
        return weighted_sum(weights, forward.activations(layer))
    summed = torch.stack([gradient.float().flatten(2).sum(dim=2) for gradient in forward.gradients(layer)])
    return weighted_sum_per_image(summed, forward.activations(layer))


def weighted_sum_per_image(weights: Tensor, activations: Tensor) -> Tensor:
    """Σ over channels of weights (findings, batch, channels) × activations (batch, channels, *grid)."""
    return torch.einsum("kbc,bc...->bk...", weights, activations.float())


METHOD = AttributionMethod(maps=gradcam, reads="layer", unit="logit_at_head")

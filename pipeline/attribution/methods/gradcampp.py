"""Grad-CAM++: Grad-CAM with pixel-wise weighted positive gradients, so that small areas count fully."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import cell_count, weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def gradcampp(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Chattopadhay et al., WACV 2018, closed form for the exponential of the logit S, with α of equation 19: the
    weight of a channel is Σ over cells of α · ReLU(∂exp(S)/∂A). The factor exp(S) is constant over a map and
    overflows for large logits, so it is left out. The paper assumes ReLU activations; with negative
    activations, the denominator of α can come close to 0.
    """
    activations = forward.activations(layer).float()
    sums = activations.flatten(2).sum(dim=2, keepdim=True)
    head = forward.head_weights(layer)
    if head is not None:
        cells = cell_count(activations)
        weights = cells * _weighted_gradient(head.float()[..., None] / cells, sums)[..., 0]
    else:
        weights = torch.stack(
            [_weighted_gradient(g.float().flatten(2), sums).sum(dim=2) for g in forward.gradients(layer)]
        )
    return weighted_sum(weights, activations)


def _weighted_gradient(gradient: Tensor, sums: Tensor) -> Tensor:
    """α · ReLU(gradient) per cell, from `sums` of the activations over the grid, (batch, channels, 1).

    α = g² / (2g² + ΣA · g³) is reduced by g², because g³ would underflow; it is 0 if the denominator is 0.
    """
    denominator = 2 + sums * gradient
    return torch.where(denominator == 0, 0, gradient.clamp_min(0) / denominator)


METHOD = AttributionMethod(maps=gradcampp, reads="layer", unit="relative")

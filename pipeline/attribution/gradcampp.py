"""Grad-CAM++: Grad-CAM that counts every place with a positive gradient, however small the area."""

import torch
from torch import Tensor

from pipeline.attribution.cam import cell_count
from pipeline.attribution.gradcam import weighted_sum_per_image
from pipeline.contracts import AttributionMethod, Forward


def gradcampp(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Chattopadhay et al., WACV 2018, the closed form for the exponential of the logit S, with α of equation 19:
    the weight of a channel is Σ over cells of α · ReLU(∂exp(S)/∂A). Its factor exp(S) is common to the whole
    map of one finding and image, and overflows for large logits; it is left out. The paper has ReLU
    activations in mind: where a layer's values can be negative, the denominator of α can come near 0.
    """
    activations = forward.activations(layer).float()
    sums = activations.flatten(2).sum(dim=2, keepdim=True)
    head = forward.head_weights(layer)
    if head is not None:
        cells = cell_count(activations)
        weights = cells * _weighted_gradient(head.float()[:, None, :, None] / cells, sums)[..., 0]
    else:
        weights = torch.stack(
            [_weighted_gradient(g.float().flatten(2), sums).sum(dim=2) for g in forward.gradients(layer)]
        )
    return weighted_sum_per_image(weights, activations)


def _weighted_gradient(gradient: Tensor, sums: Tensor) -> Tensor:
    """α · ReLU(gradient) in each cell; `sums` are the activations' over the grid, (batch, channels, 1).

    α = g² / (2g² + ΣA · g³) is divided through by g², whose cube would underflow; 0 where it has no value.
    """
    denominator = 2 + sums * gradient
    return torch.where(denominator == 0, 0, gradient.clamp_min(0) / denominator)


METHOD = AttributionMethod(maps=gradcampp, reads="layer", unit="relative")

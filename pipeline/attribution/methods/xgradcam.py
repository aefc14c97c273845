"""XGrad-CAM: Grad-CAM with weights derived from two axioms, sensitivity and conservation."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import cell_count, weighted_sum
from pipeline.contracts import AttributionMethod, Forward

CANCELLED = 1e-6
"""A channel's sum counts as 0 if it is at most this share of the sum of its magnitudes (rounding errors)."""


def xgradcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU, times the number of cells.

    Fu et al., BMVC 2020: the weight of a channel is Σ over cells of A / ΣA · gradient, the mean gradient
    weighted by the activations; a map then sums to Σ gradient × activation (conservation). A channel whose
    activations sum to 0 gets weight 0, because its weighted mean is undefined.
    """
    activations = forward.activations(layer).float()
    head = forward.head_weights(layer)
    if head is not None:
        return weighted_sum(head, activations)
    flat = activations.flatten(2)
    shares = cell_count(activations) * _shares(flat)
    weights = torch.stack([(shares * g.float().flatten(2)).sum(dim=2) for g in forward.gradients(layer)])
    return weighted_sum(weights, activations)


def _shares(activations: Tensor) -> Tensor:
    """Share of each cell in the sum of its channel, (batch, channels, cells)."""
    sums = activations.sum(dim=2, keepdim=True)
    cancelled = sums.abs() <= CANCELLED * activations.abs().sum(dim=2, keepdim=True)
    return torch.where(cancelled, 0, activations / sums)


METHOD = AttributionMethod(maps=xgradcam, reads="layer", unit="logit_at_head")

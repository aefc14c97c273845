"""XGrad-CAM: Grad-CAM whose weights follow from two axioms, sensitivity and conservation."""

import torch
from torch import Tensor

from pipeline.attribution.cam import cell_count, weighted_sum
from pipeline.attribution.gradcam import weighted_sum_per_image
from pipeline.contracts import AttributionMethod, Forward

CANCELLED = 1e-6
"""A channel whose sum is below this share of the sum of its magnitudes has no sum but rounding."""


def xgradcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU, times the number of cells.

    Fu et al., BMVC 2020: a channel's weight is Σ over cells of A / ΣA · gradient, its gradient averaged with
    its activations as weights; a map then sums to Σ gradient × activation (conservation). A channel whose
    activations sum to 0 has no such average, and weight 0.
    """
    activations = forward.activations(layer).float()
    head = forward.head_weights(layer)
    if head is not None:
        return weighted_sum(head, activations)
    flat = activations.flatten(2)
    shares = cell_count(activations) * _shares(flat)
    weights = torch.stack([(shares * g.float().flatten(2)).sum(dim=2) for g in forward.gradients(layer)])
    return weighted_sum_per_image(weights, activations)


def _shares(activations: Tensor) -> Tensor:
    """Each cell's share of its channel's sum, (batch, channels, cells)."""
    sums = activations.sum(dim=2, keepdim=True)
    cancelled = sums.abs() <= CANCELLED * activations.abs().sum(dim=2, keepdim=True)
    return torch.where(cancelled, 0, activations / sums)


METHOD = AttributionMethod(maps=xgradcam, reads="layer", unit="logit_at_head")

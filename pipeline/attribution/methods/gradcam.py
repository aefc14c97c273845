"""Grad-CAM: activations weighted by the gradient of each logit."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def gradcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU, which the contours apply.

    Selvaraju et al., ICCV 2017, equations 1 and 2, but with the gradient *summed* over the grid instead of
    averaged, which multiplies the map by the number of cells. With global average pool → linear after the
    layer, the map is CAM, in logits, and no gradient is computed.
    """
    weights = forward.head_weights(layer)
    if weights is not None:
        return weighted_sum(weights, forward.activations(layer))
    summed = torch.stack([gradient.float().flatten(2).sum(dim=2) for gradient in forward.gradients(layer)])
    return weighted_sum(summed, forward.activations(layer))


METHOD = AttributionMethod(maps=gradcam, reads="layer", unit="logit_at_head")

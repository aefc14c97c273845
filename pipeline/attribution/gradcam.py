"""Grad-CAM: activations weighted by the gradient of each logit."""

import torch
from torch import Tensor

from pipeline.attribution.cam import weighted_sum
from pipeline.contracts import Forward


def gradcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU, which the contours apply.

    Selvaraju et al., ICCV 2017, equations 1 and 2, with the gradient *summed* over the grid instead of
    averaged: the same map times the number of cells, in logits where the head is a global average pool and
    one linear layer (there it is CAM, and no gradient is computed).
    """
    weights = forward.head_weights(layer)
    if weights is not None:
        return weighted_sum(weights, forward.activations(layer))
    summed = forward.gradients(layer).float().flatten(3).sum(dim=3)
    return torch.einsum("kbc,bc...->bk...", summed, forward.activations(layer).float())

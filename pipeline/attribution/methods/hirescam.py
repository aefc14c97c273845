"""HiResCAM: gradient × activation per cell, summed over channels."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import cell_count, weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def hirescam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the ReLU, times the number of cells.

    Draelos and Carin, 2020 (arXiv 2011.08891): Σ over channels of gradient × activation; Grad-CAM first
    averages the gradient over the grid. If only one linear layer follows, with or without pooling, the
    spatial mean of a map plus the bias is the logit.
    """
    activations = forward.activations(layer).float()
    head = forward.head_weights(layer)
    if head is not None:
        return weighted_sum(head, activations)
    maps = [(gradient.float() * activations).sum(dim=1) for gradient in forward.gradients(layer)]
    return cell_count(activations) * torch.stack(maps, dim=1)


METHOD = AttributionMethod(maps=hirescam, reads="layer", unit="logit_at_head")

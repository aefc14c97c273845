"""LayerCAM: activations weighted by the positive gradient per cell, suited to early, fine layers."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import cell_count, weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def layercam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's last ReLU, times the number of cells.

    Jiang et al., IEEE TIP 2021: Σ over channels of ReLU(gradient) × activation per cell.
    """
    activations = forward.activations(layer).float()
    head = forward.head_weights(layer)
    if head is not None:
        return weighted_sum(head.clamp_min(0), activations)
    maps = [(gradient.float().clamp_min(0) * activations).sum(dim=1) for gradient in forward.gradients(layer)]
    return cell_count(activations) * torch.stack(maps, dim=1)


METHOD = AttributionMethod(maps=layercam, reads="layer", unit="relative")

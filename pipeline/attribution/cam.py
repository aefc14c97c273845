"""CAM: class activation maps of networks that end in global average pooling and one linear layer."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError


def cam(forward: Forward, layer: str) -> Tensor:
    """Relevance in logits, (batch, findings, *grid): a map's spatial mean plus the bias is the logit.

    Zhou et al., CVPR 2016, equation 2: the activations weighted by the finding's row of the linear layer.
    """
    weights = forward.head_weights(layer)
    if weights is None:
        raise ConfigError(
            f"method 'cam' at layer '{layer}': what follows the layer is not a global average pool and one "
            "linear layer; use 'gradcam', or the layer 'last'"
        )
    return weighted_sum(weights, forward.activations(layer))


def weighted_sum(weights: Tensor, activations: Tensor) -> Tensor:
    """Σ over channels of weights (findings, channels) × activations (batch, channels, *grid)."""
    return torch.einsum("kc,bc...->bk...", weights.float(), activations.float())


def cell_count(activations: Tensor) -> int:
    """Cells of the grid of (batch, channels, *grid).

    The gradient through a global average pool is the head's weight over this number. Maps made of gradients
    are multiplied by it, so that where CAM exists their spatial mean is in its unit, logits.
    """
    return activations.shape[2:].numel()


METHOD = AttributionMethod(maps=cam, reads="layer", unit="logit")


METHOD = AttributionMethod(maps=cam, reads="layer", unit="logit")

"""CAM: class activation maps of networks that end in global average pool → linear."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError


def cam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), in logits: the spatial mean of a map plus the bias is the logit.

    Zhou et al., CVPR 2016, equation 2: activations weighted by the finding's row of the linear layer; for the
    log-odds of two outputs, by the difference of their rows. Log-odds of more outputs are not linear: the
    map is then their first-order part, the sum of all outputs' maps weighted by `log_odds.slopes`.
    """
    weights = forward.head_weights(layer)
    if weights is None:
        raise ConfigError(
            f"method 'cam' at layer '{layer}': the layer is not followed by a global average pool and one "
            "linear layer; use 'gradcam', or the layer 'last'"
        )
    return weighted_sum(weights, forward.activations(layer))


def weighted_sum(weights: Tensor, activations: Tensor) -> Tensor:
    """Sum over channels of weights (findings, batch, channels) × activations (batch, channels, *grid)."""
    return torch.einsum("kbc,bc...->bk...", weights.float(), activations.float())


def cell_count(activations: Tensor) -> int:
    """Number of grid cells of activations (batch, channels, *grid).

    The gradient through a global average pool is the head's weight divided by this number. Gradient-based
    maps are multiplied by it, so that they have the unit of CAM, logits, where CAM exists.
    """
    return activations.shape[2:].numel()


METHOD = AttributionMethod(maps=cam, reads="layer", unit="logit")

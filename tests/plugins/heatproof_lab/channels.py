"""Channels: the mean activation, the same for every finding."""

from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward


def channels(forward: Forward, layer: str, *, power: float = 1.0) -> Tensor:
    """Mean over channels of the activations, to a power."""
    mean = forward.activations(layer).float().mean(dim=1).clamp(min=0) ** power
    return mean[:, None].expand(-1, forward.logits.shape[1], *mean.shape[1:])


METHOD = AttributionMethod(maps=channels, reads="layer", unit="relative")

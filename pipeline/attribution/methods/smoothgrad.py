"""SmoothGrad: the maps of another method, averaged over noisy copies of the image."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError


def smoothgrad(
    forward: Forward, *, of: Maps, samples: int = 16, sigma: float = 0.15, seed: int = 0
) -> Tensor:
    """Mean of the method's maps over `samples` copies of each image with added Gaussian noise.

    Smilkov et al., 2017 (arXiv 1706.03825), section 3.1. `sigma` is the standard deviation of the noise, as a
    share of the image's range (maximum − minimum). The noise depends only on `seed` and the image's shape,
    so it is the same in every batch and on every device.
    """
    if samples < 1 or sigma < 0:
        raise ConfigError(
            f"method 'smoothgrad': found samples {samples}, sigma {sigma}; set samples to at least 1 and "
            "sigma to at least 0"
        )
    inputs = forward.inputs
    generator = torch.Generator().manual_seed(seed)
    scale = sigma * _value_range(inputs)
    total = torch.zeros(())
    for _ in range(samples):
        noise = torch.randn(inputs.shape[1:], generator=generator).to(inputs)
        noisy = inputs + scale * noise
        total = total + torch.cat([of(forward.again(part)) for part in torch.split(noisy, forward.rows)])
    return total / samples


def _value_range(inputs: Tensor) -> Tensor:
    """Maximum − minimum of each image, (batch, 1, *ones)."""
    dims = tuple(range(1, inputs.dim()))
    return inputs.amax(dims, keepdim=True) - inputs.amin(dims, keepdim=True)


METHOD = AttributionMethod(maps=smoothgrad, reads="method", unit="logit_at_head")

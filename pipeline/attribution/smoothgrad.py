"""SmoothGrad: another method's map, averaged over noisy copies of the image."""

import torch
from torch import Tensor

from pipeline.contracts import AttributionMethod, Forward, Maps
from pipeline.errors import ConfigError


def smoothgrad(
    forward: Forward, *, of: Maps, samples: int = 16, sigma: float = 0.15, seed: int = 0
) -> Tensor:
    """The mean of the method's maps over `samples` copies of each image with Gaussian noise added.

    Smilkov et al., 2017 (arXiv 1706.03825), section 3.1. `sigma` is the noise's standard deviation as a share
    of the image's range, maximum − minimum. The noise depends on `seed` and the shape of one image alone, so
    that a batch has the maps of its images one by one, and every device the same noise.
    """
    if samples < 1 or sigma < 0:
        raise ConfigError(
            f"method 'smoothgrad': found samples {samples}, sigma {sigma}; wanted at least 1 and at least 0"
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

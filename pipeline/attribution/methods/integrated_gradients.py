"""Integrated Gradients: contribution of each pixel to each logit along a path from a baseline."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pipeline.attribution.absence import Absent, absent
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

Quadrature = Literal["gauss_legendre", "riemann"]


def integrated_gradients(
    forward: Forward, *, steps: int = 32, quadrature: Quadrature = "gauss_legendre", baseline: Absent = 0.0
) -> Tensor:
    """Sum over channels of (image − baseline) × mean gradient, (batch, findings, *grid), in logits.

    Sundararajan et al., ICML 2017, equation 1: the cells sum to logit(image) − logit(baseline), up to the
    error of the quadrature. "riemann" is the sum of equation 3; Gauss–Legendre needs far fewer steps.
    """
    if steps < 1:
        raise ConfigError(
            f"method 'integrated_gradients': steps: found {steps}, wanted 1 or more; set for example 32"
        )
    # bfloat16 is too coarse for the positions: the cells would not sum to the difference of logits.
    inputs = forward.inputs.to(torch.promote_types(forward.inputs.dtype, torch.float32))
    positions, weights = (part.to(inputs.dtype).to(inputs.device) for part in _nodes(quadrature, steps))
    starts = absent(inputs, baseline)
    maps = [
        _map_of_image(forward, image, start, positions, weights)
        for image, start in zip(inputs, starts, strict=True)
    ]
    return torch.stack(maps)


def _map_of_image(
    forward: Forward, image: Tensor, start: Tensor, positions: Tensor, weights: Tensor
) -> Tensor:
    """Maps (findings, *grid) of one image (channels, *grid)."""
    path = image - start
    mean = torch.zeros((), device=image.device)
    for part, shares in zip(positions.split(forward.rows), weights.split(forward.rows), strict=True):
        points = start + part.reshape(-1, *[1] * image.dim()) * path
        gradients = forward.again(points).input_gradients()
        mean = mean + torch.einsum("ks...,s->k...", gradients, shares.float())
    return torch.einsum("kc...,c...->k...", mean, path.float())


def _nodes(quadrature: Quadrature, steps: int) -> tuple[Tensor, Tensor]:
    """Positions on the path, 0 … 1, and the weight of the gradient at each."""
    if quadrature == "riemann":
        return torch.arange(1, steps + 1) / steps, torch.full((steps,), 1 / steps)
    positions, weights = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((positions + 1) / 2), torch.from_numpy(weights / 2)


METHOD = AttributionMethod(maps=integrated_gradients, reads="input", unit="logit")

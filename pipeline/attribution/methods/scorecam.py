"""Score-CAM: activations weighted by the logit of the image masked with each channel; no gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import weighted_sum
from pipeline.attribution.resample import pixels, resampled
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError
from pipeline.records import Cells

CONSTANT = 1e-6
"""A channel is constant if its range is at most this share of its magnitude (rounding errors)."""


def scorecam(forward: Forward, layer: str, *, top_channels: int | None = None) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Wang et al., CVPR Workshops 2020, algorithm 1: every channel, scaled to [0, 1] and interpolated to the
    input's grid, masks the input; the weights are the softmax over channels of the logit's increase over a
    baseline. The baseline's logit cancels in the softmax and is not computed. Constant channels get weight 0.
    This takes one forward pass per channel; `top_channels` limits it to the channels that vary most.
    """
    if top_channels is not None and top_channels < 1:
        raise ConfigError(
            f"method 'scorecam': top_channels: found {top_channels}, wanted 1 or more; set for example 64"
        )
    activations = forward.activations(layer).float()
    cells = forward.cells(layer)
    weights = [
        _weights(forward, image, channels, cells, top_channels or len(channels))
        for image, channels in zip(forward.inputs, activations, strict=True)
    ]
    return weighted_sum(torch.stack(weights, dim=1), activations)


def _weights(
    forward: Forward, image: Tensor, activations: Tensor, cells: Sequence[Cells], top_channels: int
) -> Tensor:
    """Weights (findings, channels) for one image (channels, *grid) and its activations (channels, *grid)."""
    weights = activations.new_zeros(forward.logits.shape[1], len(activations))
    varying = _varying(activations, top_channels)
    if len(varying):
        masks = _unit_range(activations[varying])[:, None]
        parts = torch.split(masks, forward.rows)
        onto = pixels(image.shape[1:])
        scores = [forward.scores(image * resampled(part, cells, onto).to(image)) for part in parts]
        weights[:, varying] = torch.cat(scores).softmax(dim=0).T
    return weights


def _varying(activations: Tensor, top_channels: int) -> Tensor:
    """Indices of the channels that are not constant, at most the `top_channels` that vary most."""
    flat = activations.flatten(1)
    constant = flat.amax(dim=1) - flat.amin(dim=1) <= CONSTANT * flat.abs().amax(dim=1)
    order = flat.std(dim=1).argsort(descending=True, stable=True)
    return order[~constant[order]][:top_channels].sort().values


def _unit_range(activations: Tensor) -> Tensor:
    """Each channel of (channels, *grid) scaled to 0 … 1."""
    dims = tuple(range(1, activations.dim()))
    low, high = activations.amin(dims, keepdim=True), activations.amax(dims, keepdim=True)
    return (activations - low) / (high - low)


METHOD = AttributionMethod(maps=scorecam, reads="layer", unit="relative")

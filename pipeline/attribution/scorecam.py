"""Score-CAM: channels weighted by the logit that the image keeps where they are active; no gradient."""

import torch
from torch import Tensor

from pipeline.attribution.gradcam import weighted_sum_per_image
from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

CONSTANT = 1e-6
"""A channel that varies by less than this share of its magnitude varies by rounding, and masks nothing."""


def scorecam(forward: Forward, layer: str, *, top_channels: int | None = None) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Wang et al., CVPR Workshops 2020, algorithm 1: every channel, scaled to [0, 1] and brought to the input's
    grid, masks the input; the channels' weights are the softmax of the logits' increase over a baseline.
    The baseline's logit falls out of the softmax and is not computed. A channel that is constant masks
    nothing and has weight 0. One pass a channel; `top_channels` takes only those that vary most in an image.
    """
    if top_channels is not None and top_channels < 1:
        raise ConfigError(f"method 'scorecam': top_channels: found {top_channels}, wanted 1 or more")
    activations = forward.activations(layer).float()
    weights = [
        _weights(forward, image, channels, top_channels or len(channels))
        for image, channels in zip(forward.inputs, activations, strict=True)
    ]
    return weighted_sum_per_image(torch.stack(weights, dim=1), activations)


def _weights(forward: Forward, image: Tensor, activations: Tensor, top_channels: int) -> Tensor:
    """(findings, channels) for one image (channels, *grid) and its activations (channels, *grid)."""
    weights = activations.new_zeros(forward.logits.shape[1], len(activations))
    chosen = _varying(activations, top_channels)
    if len(chosen):
        masks = _unit_range(activations[chosen])[:, None]
        parts = torch.split(masks, forward.rows)
        scores = [forward.scores(image * resampled(part, image.shape[1:]).to(image)) for part in parts]
        weights[:, chosen] = torch.cat(scores).softmax(dim=0).T
    return weights


def _varying(activations: Tensor, top_channels: int) -> Tensor:
    """Indices of the channels that are not constant, at most `top_channels`, the most varied."""
    flat = activations.flatten(1)
    constant = flat.amax(dim=1) - flat.amin(dim=1) <= CONSTANT * flat.abs().amax(dim=1)
    order = flat.std(dim=1).argsort(descending=True, stable=True)
    return order[~constant[order]][:top_channels].sort().values


def _unit_range(activations: Tensor) -> Tensor:
    """Each channel of (channels, *grid) from 0 to 1."""
    dims = tuple(range(1, activations.dim()))
    low, high = activations.amin(dims, keepdim=True), activations.amax(dims, keepdim=True)
    return (activations - low) / (high - low)


METHOD = AttributionMethod(maps=scorecam, reads="layer", unit="relative")

"""Ablation-CAM: activations weighted by the drop of the logit when a channel is removed; no gradient."""

import torch
from torch import Tensor

from pipeline.attribution.methods.cam import weighted_sum
from pipeline.contracts import AttributionMethod, Forward


def ablationcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Desai and Ramaswamy, WACV 2020, equation 3: a channel's weight is the drop of the logit when the channel
    is set to 0. The paper also divides the drop by the logit. This factor is constant over a map and is left
    out, because it would invert the maps of negative logits. It takes one forward pass per channel; with
    global average pool → linear after the layer only the pass of that layer, over the means of the channels.
    """
    activations = forward.activations(layer)
    if forward.head_weights(layer) is None:
        removable = activations
    else:
        removable = activations.float().mean(dim=tuple(range(2, activations.dim())), keepdim=True)
    drops = torch.stack(
        [
            _drops(forward, layer, image, channels)
            for image, channels in zip(forward.inputs, removable, strict=True)
        ],
        dim=1,
    )
    return weighted_sum(drops, activations)


def _drops(forward: Forward, layer: str, image: Tensor, activations: Tensor) -> Tensor:
    """Drops (findings, channels) for one image (channels, *grid) and its activations (channels, *grid).

    The reference logit comes from the same kind of pass, with all channels kept, so that rounding cancels.
    """
    count = len(activations)
    kept = torch.cat([activations.new_ones(1, count), 1 - torch.eye(count).to(activations)])
    scores = [
        forward.scores_with(
            layer,
            activations * part.reshape(*part.shape, *[1] * (activations.dim() - 1)),
            image.expand(len(part), *image.shape),
        )
        for part in torch.split(kept, forward.rows)
    ]
    whole, *without = torch.cat(scores)
    return torch.stack([whole - score for score in without], dim=1)


METHOD = AttributionMethod(maps=ablationcam, reads="layer", unit="relative")

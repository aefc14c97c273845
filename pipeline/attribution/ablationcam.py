"""Ablation-CAM: channels weighted by what the logit loses without them; no gradient."""

import torch
from torch import Tensor

from pipeline.attribution.gradcam import weighted_sum_per_image
from pipeline.contracts import AttributionMethod, Forward


def ablationcam(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), before the paper's ReLU.

    Desai and Ramaswamy, WACV 2020, equation 3: a channel's weight is the drop of the logit when the channel
    is set to 0. The paper divides the drop by the logit; that factor, common to the map of one finding and
    image, is left out: it would turn the maps of negative logits upside down. Behind a global average pool
    and one linear layer the drop is weight × mean activation; elsewhere it takes one pass a channel.
    """
    activations = forward.activations(layer).float()
    head = forward.head_weights(layer)
    if head is not None:
        drops = head.float()[:, None] * activations.flatten(2).mean(dim=2)
    else:
        drops = torch.stack(
            [
                _drops(forward, layer, image, channels)
                for image, channels in zip(forward.inputs, forward.activations(layer), strict=True)
            ],
            dim=1,
        )
    return weighted_sum_per_image(drops, activations)


def _drops(forward: Forward, layer: str, image: Tensor, activations: Tensor) -> Tensor:
    """(findings, channels) of one image (channels, *grid) and its activations (channels, *grid).

    The first pass keeps all channels: differences of passes of one kind lose least to rounding.
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

"""Attention rollout: how attention carries the image's patches to the token that is classified."""

import torch
from torch import Tensor

from pipeline.attribution.attention import Attention, attention_of
from pipeline.contracts import AttributionMethod, Forward


def rollout(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), 0 or more, the same map for every finding: it reads no logit.

    Abnar and Zuidema, ACL 2020, equation 1: the product over blocks of ½ · attention + ½ · identity, with
    attention averaged over heads. The map is the row of the class token, or the mean of the rows of all
    tokens that the head reads. `layer` only says which tokens are the map's cells: all blocks are followed.
    """
    maps = torch.cat([_rolled_out(part) for part in attention_of(forward, layer, method="rollout")])
    repeats = [1, forward.logits.shape[1], *[1] * (maps.dim() - 1)]
    return maps[:, None].repeat(repeats)


def _rolled_out(attention: Attention) -> Tensor:
    """Maps (batch, *grid)."""
    itself = torch.eye(attention.blocks[0].shape[-1]).to(attention.blocks[0])
    flow = itself
    for block in attention.blocks:
        flow = (block.detach().mean(dim=1) + itself) / 2 @ flow
    return attention.shown(flow)


METHOD = AttributionMethod(maps=rollout, reads="layer", unit="relative")

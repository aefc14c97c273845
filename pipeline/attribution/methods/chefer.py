"""Chefer's relevance: attention weighted by its gradient, carried from block to block, for each finding."""

import torch
from torch import Tensor

from pipeline.attribution.attention import Attention, attention_of
from pipeline.contracts import AttributionMethod, Forward


def chefer(forward: Forward, layer: str) -> Tensor:
    """Relevance (batch, findings, *grid), 0 or more.

    Chefer et al., ICCV 2021, equations 5 and 6: R ← R + Ā · R over all blocks, from R = identity, where Ā is
    the mean over heads of ReLU(attention × gradient of the logit). The map is the row of the class token, or
    the mean of the rows of all tokens that the head reads, less the identity. `layer` only says which tokens
    are the map's cells.
    """
    return torch.cat([_maps(part) for part in attention_of(forward, layer, method="chefer")])


def _maps(attention: Attention) -> Tensor:
    """Maps (batch, findings, *grid)."""
    findings = range(attention.logits.shape[1])
    return torch.stack([attention.shown(_relevance(attention, finding)) for finding in findings], dim=1)


def _relevance(attention: Attention, finding: int) -> Tensor:
    """Relevance (batch, to tokens, from tokens) less the identity."""
    itself = torch.eye(attention.blocks[0].shape[-1]).to(attention.blocks[0])
    relevance = itself
    for block, gradient in zip(attention.blocks, attention.gradients(finding), strict=True):
        relevance = relevance + (block.detach() * gradient).clamp_min(0).mean(dim=1) @ relevance
    return relevance - itself


METHOD = AttributionMethod(maps=chefer, reads="layer", unit="relative")

"""Heads: networks that end in a global average pool and one linear layer; their gradients are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

TOLERANCES = {torch.bfloat16: 2e-2, torch.float16: 2e-2}
"""Relative to the largest logit, by the activations' precision. A wrong head misses by far more."""
TOLERANCE = 1e-3
"""The same in float32, where rounding alone misses by far less."""


@dataclass(frozen=True, slots=True)
class Head:
    """What lies between a layer and the logits, where that is little enough."""

    linear: nn.Linear
    rectifies: bool
    """Whether there is a ReLU before the global average pool; else nothing is."""

    @property
    def weights(self) -> Tensor:
        """(findings, channels)."""
        return self.linear.weight.detach()

    def logits(self, activations: Tensor) -> Tensor:
        """(batch, findings), float32, of (batch, channels, *grid): weights · spatial mean + bias."""
        activations = activations.float().relu() if self.rectifies else activations.float()
        bias = None if self.linear.bias is None else self.linear.bias.detach().float()
        return nn.functional.linear(activations.flatten(2).mean(dim=2), self.weights.float(), bias)

    def gradients(self, activations: Tensor) -> Tensor:
        """(findings, batch, channels, *grid): weights over number of cells, where a cell gets through."""
        batch, _, *grid = activations.shape
        each = self.weights / torch.Size(grid).numel()
        gradients = each.reshape(len(each), 1, -1, *[1] * len(grid)).expand(-1, batch, -1, *grid)
        return gradients * (activations > 0) if self.rectifies else gradients


def find_head(
    network: nn.Module, activations: Tensor, logits: Tensor, *, logits_with: Callable[[Tensor], Tensor]
) -> Head | None:
    """The head that gives the logits from activations (batch, channels, *grid), if there is one.

    It is recognised by its numbers, not by its name, so any network that ends this way is served. It must
    give the `logits` of these activations, and `logits_with` random ones of both signs, so that a ReLU is not
    overlooked where nothing happens to be negative.
    """
    wanted = (logits.shape[1], activations.shape[1])
    for module in network.modules():
        if isinstance(module, nn.Linear) and module.weight.shape == wanted:
            for head in (Head(module, rectifies=False), Head(module, rectifies=True)):
                random = _of_both_signs(activations)
                if _holds(head, activations, logits) and _holds(head, random, logits_with(random)):
                    return head
    return None


def _holds(head: Head, activations: Tensor, logits: Tensor) -> bool:
    miss = (head.logits(activations) - logits).abs().max()
    scale = logits.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    return bool(miss / scale < TOLERANCES.get(activations.dtype, TOLERANCE))


def _of_both_signs(activations: Tensor) -> Tensor:
    """Random activations of the same shape and magnitude, other in each channel; always the same."""
    generator = torch.Generator().manual_seed(0)
    shape = (*activations.shape[:2], *[1] * (activations.dim() - 2))
    random = torch.randn(shape, generator=generator) + torch.randn(activations.shape, generator=generator)
    return (random * activations.float().std().cpu()).to(activations)

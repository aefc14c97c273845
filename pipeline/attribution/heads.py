"""Heads: global average pool → linear, the end of a network whose gradients have a closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.attribution.readout import ALL, Readout, readout_of

TOLERANCES = {torch.bfloat16: 2e-2, torch.float16: 2e-2}
"""Tolerance by precision of the activations, relative to the largest logit; a wrong head exceeds it."""
TOLERANCE = 1e-3
"""Tolerance in float32, far above rounding errors."""


@dataclass(frozen=True, slots=True)
class Head:
    """[ReLU →] global average pool → linear [→ readout]: the operations between a layer and the logits."""

    linear: nn.Linear
    rectifies: bool
    """Whether a ReLU precedes the global average pool."""
    readout: Readout = ALL
    """What makes logits of the outputs of the linear layer."""

    def logits(self, activations: Tensor) -> Tensor:
        """Logits or log-odds (batch, findings), float32, of activations (batch, channels, *grid)."""
        return self.readout(self._outputs(activations))

    def weights(self, activations: Tensor) -> Tensor:
        """Derivative of each logit with respect to the mean of each channel, (findings, batch, channels).

        Without log-odds, and for the log-odds of two outputs, it is the same for all activations.
        """
        weights = self.linear.weight.detach()
        if not self.readout.odds:
            return self.readout.chosen(weights, dim=0)[:, None].expand(-1, len(activations), -1)
        slopes = self.readout.slopes(self._outputs(activations))
        return torch.einsum("bkj,jc->kbc", slopes, weights.float())

    def gradients(self, activations: Tensor) -> Tensor:
        """Gradients (findings, batch, channels, *grid): weights / cells, and 0 where the ReLU blocks."""
        _, _, *grid = activations.shape
        per_cell = self.weights(activations) / torch.Size(grid).numel()
        gradients = per_cell.reshape(*per_cell.shape, *[1] * len(grid)).expand(-1, -1, -1, *grid)
        return gradients * (activations > 0) if self.rectifies else gradients

    def _outputs(self, activations: Tensor) -> Tensor:
        """Outputs of the linear layer, float32: weights · spatial mean + bias."""
        activations = activations.float().relu() if self.rectifies else activations.float()
        bias = None if self.linear.bias is None else self.linear.bias.detach().float()
        weights = self.linear.weight.detach().float()
        return nn.functional.linear(activations.flatten(2).mean(dim=2), weights, bias)


def find_head(
    network: nn.Module, activations: Tensor, logits: Tensor, *, logits_with: Callable[[Tensor], Tensor]
) -> Head | None:
    """The head that computes the logits from activations (batch, channels, *grid); None if there is none.

    Heads are recognised by their numbers, not by names, so that any architecture is supported. A head must
    reproduce the `logits` of these activations, and `logits_with` of random activations of both signs: those
    reveal a ReLU even if none of the given activations is negative.
    """
    readout = readout_of(network)
    wanted = (len(readout.explained) or logits.shape[1], activations.shape[1])
    for module in network.modules():
        if isinstance(module, nn.Linear) and module.weight.shape == wanted:
            for rectifies in (False, True):
                head = Head(module, rectifies=rectifies, readout=readout)
                random = _random_like(activations)
                if _reproduces(head, activations, logits) and _reproduces(head, random, logits_with(random)):
                    return head
    return None


def _reproduces(head: Head, activations: Tensor, logits: Tensor) -> bool:
    error = (head.logits(activations) - logits).abs().max()
    scale = logits.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    return bool(error / scale < TOLERANCES.get(activations.dtype, TOLERANCE))


def _random_like(activations: Tensor) -> Tensor:
    """Random activations of both signs, same shape and magnitude; channels differ; the seed is fixed."""
    generator = torch.Generator().manual_seed(0)
    shape = (*activations.shape[:2], *[1] * (activations.dim() - 2))
    random = torch.randn(shape, generator=generator) + torch.randn(activations.shape, generator=generator)
    return (random * activations.float().std().cpu()).to(activations)

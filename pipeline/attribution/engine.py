"""Engine: one forward pass of a batch, with activations and the gradients of all logits at chosen layers.

The backbone runs without autograd; at the earliest layer that needs gradients the activations are detached
and only the tail behind it is differentiated. Where the tail is a global average pool and one linear layer
there is nothing to differentiate: the gradient is the linear layer's weights over the number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.attribution.layers import Call, resolve, trace

CLOSED_FORM_TOLERANCE = 1e-3
"""Relative to the largest logit. A wrong reading of the head misses by far more, rounding by far less."""


@dataclass(frozen=True, slots=True)
class Target:
    """A layer of one network, ready to be read."""

    call: Call
    position: int
    """In the order of the forward pass."""
    head: nn.Linear | None
    """The linear layer, where only a global average pool lies between the layer and it."""


def find_targets(network: nn.Module, inputs: Tensor, layers: Sequence[str]) -> dict[str, Target]:
    """Each layer as the engine needs it, found by tracing a forward pass of (batch, channels, *grid)."""
    calls = trace(network, inputs)
    targets = {}
    for layer in layers:
        call = resolve(calls, inputs, layer)
        targets[layer] = Target(call, calls.index(call), head=None)
    found = read(network, inputs, targets)
    return {
        layer: Target(target.call, target.position, _linear_head(network, found, layer))
        for layer, target in targets.items()
    }


@dataclass(frozen=True, slots=True)
class Reading:
    """One forward pass as attribution methods see it; see `contracts.Forward`."""

    logits: Tensor
    captured: Mapping[str, Tensor]
    scores: Tensor
    """The logits with their graph from the captured layers on."""
    heads: Mapping[str, nn.Linear | None]

    def activations(self, layer: str) -> Tensor:
        """(batch, channels, *grid)."""
        return self.captured[layer].detach()

    def gradients(self, layer: str) -> Tensor:
        """(findings, batch, channels, *grid): the gradient of each logit at the layer.

        Images of a batch do not mix: with batch norm in eval mode a logit depends on its own image alone.
        """
        head = self.heads[layer]
        if head is not None:
            return _pooled_gradients(head.weight.detach(), self.activations(layer))
        return torch.stack(
            [
                torch.autograd.grad(self.scores[:, k].sum(), self.captured[layer], retain_graph=True)[0]
                for k in range(self.scores.shape[1])
            ]
        )

    def head_weights(self, layer: str) -> Tensor | None:
        """(findings, channels) of a head that is global average pool → linear; else None."""
        head = self.heads[layer]
        return None if head is None else head.weight.detach()


def read(network: nn.Module, inputs: Tensor, targets: Mapping[str, Target]) -> Reading:
    """The reading of a batch (batch, channels, *grid). Weights, mode, hooks and `.grad` stay as they were."""
    captured: dict[str, Tensor] = {}
    first = min((t.position for t in targets.values() if t.head is None), default=None)
    with torch.no_grad(), _capturing(network, targets, captured, first):
        scores = network(inputs)
    return Reading(
        logits=scores.detach().float(),
        captured=captured,
        scores=scores,
        heads={layer: target.head for layer, target in targets.items()},
    )


@contextmanager
def _capturing(
    network: nn.Module, targets: Mapping[str, Target], captured: dict[str, Tensor], first: int | None
) -> Iterator[None]:
    """Hooks that keep each target's output and switch autograd on at position `first`.

    What flows on is a clone, so that an in-place operation behind the layer cannot overwrite what was kept.
    """
    modules = dict(network.named_modules())
    counts: dict[str, int] = {}
    handles = []

    def capture(layer: str, target: Target) -> Any:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
            counts[layer] = counts.get(layer, 0) + 1
            if counts[layer] != target.call.nth:
                return None
            if target.position == first:
                output = output.detach().requires_grad_()
                torch.set_grad_enabled(True)  # until the no_grad block around the forward pass ends
            captured[layer] = output
            return output.clone()

        return hook

    try:
        for layer, target in sorted(targets.items(), key=lambda item: item[1].position):
            handles.append(modules[target.call.module].register_forward_hook(capture(layer, target)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _linear_head(network: nn.Module, reading: Reading, layer: str) -> nn.Linear | None:
    """The linear layer for which logits = weights · spatial mean of the activations + bias holds, if any.

    It is recognised by its numbers, not by its name, so any network that ends this way is served.
    """
    activations = reading.activations(layer).float()
    pooled = activations.flatten(2).mean(dim=2)
    wanted = (reading.logits.shape[1], pooled.shape[1])
    for module in network.modules():
        if isinstance(module, nn.Linear) and module.weight.shape == wanted:
            expected = nn.functional.linear(pooled, module.weight.detach().float(), _bias(module))
            scale = reading.logits.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
            if bool(((expected - reading.logits).abs().max() / scale) < CLOSED_FORM_TOLERANCE):
                return module
    return None


def _bias(linear: nn.Linear) -> Tensor | None:
    return None if linear.bias is None else linear.bias.detach().float()


def _pooled_gradients(weights: Tensor, activations: Tensor) -> Tensor:
    """Gradient through a global average pool: the weights over the number of cells, in every cell."""
    batch, _, *grid = activations.shape
    cells = torch.Size(grid).numel()
    shaped = (weights / cells)[:, None].reshape(weights.shape[0], 1, -1, *[1] * len(grid))
    return shaped.expand(-1, batch, -1, *grid)

"""Engine: one forward pass of a batch, with activations and the gradients of all logits at chosen layers.

The backbone runs without autograd; at the earliest layer that needs gradients the activations are detached
and only the tail behind it is differentiated. Where the tail is nothing or ReLU → global average pool →
linear, its gradient is known and nothing is differentiated at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pipeline.attribution.capture import captured, replaced
from pipeline.attribution.gradients import can_be_vectorised, gradients_of
from pipeline.attribution.heads import Head, find_head
from pipeline.attribution.layers import Call, resolve, trace
from pipeline.attribution.memory import Made, Memory
from pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Target:
    """A layer of one network, ready to be read."""

    call: Call
    position: int
    """In the order of the forward pass."""
    tail: Head | None = None
    """Where only a global average pool and a linear layer, or these behind a ReLU, follow the layer."""

    @property
    def head(self) -> nn.Linear | None:
        """The linear layer, where only a global average pool lies between the layer and it."""
        return None if self.tail is None or self.tail.rectifies else self.tail.linear


@dataclass(frozen=True, slots=True)
class Engine:
    """A network with the layers that are read in it, and a bound on memory."""

    network: nn.Module
    targets: Mapping[str, Target]
    memory: Memory
    vectorised: bool = False
    """Whether one backward pass serves several logits."""

    @torch.inference_mode(mode=False)
    def read(self, inputs: Tensor) -> Reading:
        """One forward pass of (batch, channels, *grid). Nothing of the network is changed."""
        graphed = [target for target in self.targets.values() if target.tail is None]
        first = min(graphed, key=lambda target: target.position).call if graphed else None
        calls = {target.call for target in self.targets.values()}
        with captured(self.network, calls, graph_from=first) as kept:
            outputs = self.network(inputs.clone())
        if not isinstance(outputs, Tensor) or outputs.dim() != 2 or len(outputs) != len(inputs):  # noqa: PLR2004
            found = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else type(outputs).__name__
            raise ConfigError(
                f"the network's output is of {found} for a batch of {len(inputs)}; wanted logits (batch, "
                "findings), so wrap the network in one that returns these"
            )
        return Reading(self, inputs.detach(), outputs, kept)


@dataclass(frozen=True, slots=True)
class Reading:
    """One forward pass as attribution methods see it; see `contracts.Forward`."""

    engine: Engine
    inputs: Tensor
    outputs: Tensor
    """The logits with their graph from the earliest captured layer on."""
    kept: Mapping[Call, Tensor]

    @property
    def network(self) -> nn.Module:
        """The network."""
        return self.engine.network

    @property
    def logits(self) -> Tensor:
        """(batch, findings), float32."""
        return self.outputs.detach().float()

    @property
    def rows(self) -> int:
        """How many inputs the memory bound allows at once; at least 1."""
        return self.engine.memory.rows(self.inputs)

    def activations(self, layer: str) -> Tensor:
        """(batch, channels, *grid)."""
        return self._kept(layer).detach()

    def gradients(self, layer: str) -> Tensor:
        """(findings, batch, channels, *grid): the gradient of each logit at the layer."""
        tail = self.engine.targets[layer].tail
        if tail is not None:
            return tail.gradients(self.activations(layer))
        try:
            return gradients_of(self.outputs, self._kept(layer), together=self._together(self.inputs))
        except ConfigError as error:
            raise ConfigError(f"layer '{layer}': {error}; choose another layer") from error

    def head_weights(self, layer: str) -> Tensor | None:
        """(findings, channels) of a head that is global average pool → linear; else None."""
        head = self.engine.targets[layer].head
        return None if head is None else head.weight.detach()

    def input_gradients(self) -> Tensor:
        """(findings, batch, channels, *grid), float32."""
        return _in_chunks(self._input_gradients, self.inputs, rows=self.rows, dim=1)

    def again(self, inputs: Tensor) -> Reading:
        """The same layers read on other inputs."""
        return self.engine.read(inputs.to(self.inputs))

    def scores(self, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32."""
        return _in_chunks(self._scores, inputs, rows=self.rows)

    def scores_with(self, layer: str, activations: Tensor, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32; nothing is run where the head gives them in closed form."""
        target = self.engine.targets[layer]
        if target.tail is not None:
            return target.tail.logits(activations)
        parts = zip(activations.split(self.rows), inputs.split(self.rows), strict=True)
        return torch.cat([self._scores_with(target.call, *part) for part in parts])

    def _kept(self, layer: str) -> Tensor:
        return self.kept[self.engine.targets[layer].call]

    def _together(self, inputs: Tensor, *, own_graph: bool = False) -> int:
        return self.engine.memory.findings(inputs, own_graph=own_graph) if self.engine.vectorised else 1

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def _input_gradients(self, inputs: Tensor) -> Tensor:
        leaf = inputs.clone().requires_grad_()
        outputs = self.network(leaf.clone())  # a network may overwrite its input
        return gradients_of(outputs, leaf, together=self._together(inputs, own_graph=True)).float()

    @torch.no_grad()
    def _scores(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.network(inputs.to(self.inputs, copy=True))
        return outputs.float()

    def _scores_with(self, call: Call, activations: Tensor, inputs: Tensor) -> Tensor:
        with replaced(self.network, call, activations.to(self.kept[call])):
            return self._scores(inputs)


def open_engine(network: nn.Module, inputs: Tensor, *, layers: Sequence[str], memory_mb: float) -> Engine:
    """An engine that reads `layers`, each found by tracing a forward pass of (batch, channels, *grid)."""
    training = [name for name, module in network.named_modules() if module.training]
    if training:
        raise ConfigError(
            f"the network is in training mode ({training[0] or 'all of it'}): call its eval() before"
        )
    with Made() as made:
        calls = trace(network, inputs)
    targets = {}
    for layer in layers:
        call = resolve(calls, inputs, layer)
        targets[layer] = Target(call, calls.index(call))
    elements = inputs.numel()
    engine = Engine(network, targets, Memory(memory_mb, made.total / elements, made.largest / elements))
    reading = engine.read(inputs)
    found = {layer: replace(target, tail=_tail(reading, layer)) for layer, target in targets.items()}
    return replace(engine, targets=found, vectorised=_pays_to_vectorise(network, inputs))


def _tail(reading: Reading, layer: str) -> Head | None:
    def logits_with(activations: Tensor) -> Tensor:
        return reading.scores_with(layer, activations, reading.inputs)

    return find_head(reading.network, reading.activations(layer), reading.logits, logits_with=logits_with)


@torch.inference_mode(mode=False)
@torch.enable_grad()
def _pays_to_vectorise(network: nn.Module, inputs: Tensor) -> bool:
    """Whether one backward pass should serve several logits.

    Not on a CPU: DenseNet-121 at strides 8 and 16 with 14 findings took as long as with a pass a finding, and
    up to twice as long with channels_last. Elsewhere a pass a finding waits for its kernels to be launched.
    """
    if inputs.device.type == "cpu":
        return False
    leaf = inputs[:1].clone().requires_grad_()
    return can_be_vectorised(network(leaf.clone()), leaf)


def _in_chunks(function: Callable[[Tensor], Tensor], inputs: Tensor, *, rows: int, dim: int = 0) -> Tensor:
    return torch.cat([function(part) for part in inputs.split(rows)], dim=dim)

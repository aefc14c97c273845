"""Engine: one forward pass of a batch, with activations and gradients of all logits at chosen layers.

The backbone runs without autograd. The activations are detached at the earliest layer that needs gradients,
and only the tail after it is differentiated. If the tail is global average pool → linear, with or without a
ReLU before it, its gradient has a closed form and autograd is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pipeline.attribution.capture import captured, reads, replaced
from pipeline.attribution.gradients import can_be_vectorised, gradients_of
from pipeline.attribution.heads import Head, find_head
from pipeline.attribution.layers import Call, resolve, trace
from pipeline.attribution.memory import AllocatedBytes, Memory
from pipeline.errors import ConfigError
from pipeline.records import Cells


@dataclass(frozen=True, slots=True)
class Target:
    """A target layer, located in one network."""

    call: Call
    position: int
    """Index of the call in the order of the forward pass."""
    tail: Head | None = None
    """The layers after this one if they are [ReLU →] global average pool → linear; else None."""

    @property
    def head(self) -> Head | None:
        """The tail if only a global average pool lies between this layer and the linear one; else None."""
        return None if self.tail is None or self.tail.rectifies else self.tail


@dataclass(frozen=True, slots=True)
class Engine:
    """A network, its target layers and a memory bound."""

    network: nn.Module
    targets: Mapping[str, Target]
    memory: Memory
    grid: torch.Size
    """Grid of the inputs for which the layers were located."""
    vectorised: bool = False
    """Whether one backward pass computes the gradients of several logits."""

    @torch.inference_mode(mode=False)
    def read(self, inputs: Tensor) -> Reading:
        """Run one forward pass of (batch, channels, *grid); the network is not changed."""
        graphed = [target for target in self.targets.values() if target.tail is None]
        first = min(graphed, key=lambda target: target.position).call if graphed else None
        calls = {target.call for target in self.targets.values()}
        with captured(self.network, calls, graph_from=first) as kept:
            outputs = self.network(inputs.clone())
        if not isinstance(outputs, Tensor) or outputs.dim() != 2 or len(outputs) != len(inputs):  # noqa: PLR2004
            is_tensor = isinstance(outputs, Tensor)
            found = f"a tensor {tuple(outputs.shape)}" if is_tensor else f"a {type(outputs).__name__}"
            raise ConfigError(
                f"the network's output is {found} for a batch of {len(inputs)}, wanted logits (batch, "
                "findings); wrap the network in a module that returns them"
            )
        return Reading(self, inputs.detach(), outputs, kept)

    @torch.inference_mode()
    def logits(self, inputs: Tensor) -> Tensor:
        """Logits (batch, findings), float32, of inputs (batch, channels, *grid), without activations."""
        outputs: Tensor = self.network(inputs.clone())  # a network may overwrite its input
        return outputs.float()


@dataclass(frozen=True, slots=True)
class Reading:
    """One forward pass; implements `contracts.Forward`."""

    engine: Engine
    inputs: Tensor
    outputs: Tensor
    """Logits with their autograd graph, which starts at the earliest target layer."""
    kept: Mapping[Call, Tensor]
    """Activations of the target layers, part of the graph."""

    @property
    def network(self) -> nn.Module:
        """The network, in eval mode."""
        return self.engine.network

    @property
    def logits(self) -> Tensor:
        """Logits, (batch, findings), float32."""
        return self.outputs.detach().float()

    @property
    def rows(self) -> int:
        """Largest batch that the memory bound allows for a backward pass; at least 1."""
        return self.engine.memory.rows(self.inputs)

    def activations(self, layer: str) -> Tensor:
        """Activations of a layer, (batch, channels, *grid)."""
        return self.on_grid(layer, self._kept(layer).detach())

    def on_grid(self, layer: str, values: Tensor) -> Tensor:
        """Values at a layer (…, *as its module gives them) as (…, channels, *grid)."""
        return self._target(layer).call.on_grid(values)

    def cells(self, layer: str) -> tuple[Cells, ...]:
        """Where a layer's cells lie on the input, per axis of the grid."""
        call = self._target(layer).call
        if self.inputs.shape[2:] != self.engine.grid:
            calls = trace(self.network, self.inputs[:1])
            call = next(c for c in calls if (c.module, c.nth) == (call.module, call.nth))
        assert call.cells is not None
        return call.cells

    def tokens(self, layer: str) -> tuple[int, int] | None:
        """How many tokens come before and after those of a layer's grid; None unless its output is tokens."""
        return self._target(layer).call.tokens

    def gradients(self, layer: str) -> Tensor:
        """Gradient of each logit with respect to the activations, (findings, batch, channels, *grid)."""
        target = self._target(layer)
        if target.tail is not None:
            return target.tail.gradients(self.activations(layer))
        per_pass = self._logits_per_pass(self.inputs)
        return target.call.on_grid(
            gradients_of(self.outputs, self._kept(layer), name=f"layer '{layer}'", logits_per_pass=per_pass)
        )

    def head_weights(self, layer: str) -> Tensor | None:
        """Derivative of each logit with respect to the mean of each channel, (findings, batch, channels).

        None unless only global average pool → linear follows the layer.
        """
        head = self._target(layer).head
        return None if head is None else head.weights(self.activations(layer))

    def input_gradients(self) -> Tensor:
        """Gradient of each logit with respect to the inputs, (findings, batch, channels, *grid), float32."""
        return _in_chunks(self._input_gradients, self.inputs, rows=self.rows, dim=1)

    def again(self, inputs: Tensor) -> Reading:
        """A forward pass of other inputs, reading the same layers."""
        return self.engine.read(inputs.to(self.inputs))

    def scores(self, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32, of other inputs, without autograd."""
        return _in_chunks(self._scores, inputs, rows=self.rows)

    def scores_with(self, layer: str, activations: Tensor, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32, of inputs if the layer's activations are the given ones.

        With a known head they are computed from it, without a forward pass.
        """
        target = self._target(layer)
        if target.tail is not None:
            return target.tail.logits(activations)
        parts = zip(activations.split(self.rows), inputs.split(self.rows), strict=True)
        return torch.cat([self._scores_with(target.call, *part) for part in parts])

    def _target(self, layer: str) -> Target:
        return self.engine.targets[layer]

    def _kept(self, layer: str) -> Tensor:
        return self.kept[self._target(layer).call]

    def _logits_per_pass(self, inputs: Tensor, *, own_graph: bool = False) -> int:
        """How many logits one backward pass serves."""
        return self.engine.memory.findings(inputs, own_graph=own_graph) if self.engine.vectorised else 1

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def _input_gradients(self, inputs: Tensor) -> Tensor:
        leaf = inputs.clone().requires_grad_()
        outputs = self.network(leaf.clone())  # a network may overwrite its input
        return gradients_of(
            outputs, leaf, logits_per_pass=self._logits_per_pass(inputs, own_graph=True)
        ).float()

    @torch.no_grad()
    def _scores(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.network(inputs.to(self.inputs, copy=True))
        return outputs.float()

    def _scores_with(self, call: Call, activations: Tensor, inputs: Tensor) -> Tensor:
        with replaced(self.network, call, activations.to(self.kept[call])):
            return self._scores(inputs)


def open_engine(network: nn.Module, inputs: Tensor, *, layers: Sequence[str], memory_mb: float) -> Engine:
    """An engine that reads `layers`, located by tracing a forward pass of inputs (batch, channels, *grid)."""
    training = [name for name, module in network.named_modules() if module.training]
    if training:
        raise ConfigError(
            f"the network is in training mode ({training[0] or 'all modules'}); call its eval() first"
        )
    with AllocatedBytes() as allocated:
        calls = trace(network, inputs)
    targets = {}
    for layer in layers:
        call = resolve(calls, inputs, layer, is_read=reads(network, inputs[:1]))
        targets[layer] = Target(call, calls.index(call))
    elements = inputs.numel()
    engine = Engine(
        network,
        targets,
        Memory(memory_mb, allocated.total / elements, allocated.largest / elements),
        inputs.shape[2:],
    )
    return replace(_with_tails(engine, inputs), vectorised=_pays_to_vectorise(network, inputs))


def engine_of(engine: Engine, network: nn.Module, inputs: Tensor) -> Engine:
    """The engine of another network that has the same modules, such as a copy with other weights.

    It reads the same layers; whether they have a known tail is found out again with inputs (batch, channels,
    *grid).
    """
    targets = {layer: replace(target, tail=None) for layer, target in engine.targets.items()}
    return _with_tails(replace(engine, network=network, targets=targets), inputs)


def _with_tails(engine: Engine, inputs: Tensor) -> Engine:
    """The engine with the tails of its targets, as far as they are known."""
    reading = engine.read(inputs)
    with_tails = {
        layer: replace(target, tail=_tail(reading, layer)) for layer, target in engine.targets.items()
    }
    return replace(engine, targets=with_tails)


def _tail(reading: Reading, layer: str) -> Head | None:
    def logits_with(activations: Tensor) -> Tensor:
        return reading.scores_with(layer, activations, reading.inputs)

    return find_head(reading.network, reading.activations(layer), reading.logits, logits_with=logits_with)


@torch.inference_mode(mode=False)
@torch.enable_grad()
def _pays_to_vectorise(network: nn.Module, inputs: Tensor) -> bool:
    """Whether one backward pass for several logits is faster than one pass per logit.

    Not on a CPU: for DenseNet-121 at strides 8 and 16 with 14 findings it was no faster than one pass per
    finding, and took up to twice as long with channels_last. On a GPU, single passes are limited by kernel
    launches.
    """
    if inputs.device.type == "cpu":
        return False
    leaf = inputs[:1].clone().requires_grad_()
    return can_be_vectorised(network(leaf.clone()), leaf)


def _in_chunks(function: Callable[[Tensor], Tensor], inputs: Tensor, *, rows: int, dim: int = 0) -> Tensor:
    return torch.cat([function(part) for part in inputs.split(rows)], dim=dim)

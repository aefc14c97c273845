"""Layers: find a target layer by module name, by stride, or as the last one before global pooling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pipeline.attribution.receptive_field.following import Following
from pipeline.attribution.receptive_field.layout import Layout, Lost, cells
from pipeline.errors import ConfigError
from pipeline.records import Cells
from pipeline.registry import did_you_mean

STRIDE = re.compile(r"stride(\d+)")
NTH = re.compile(r"(.+)#(\d+)")
ADAPTIVE_POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


@dataclass(frozen=True, slots=True)
class Call:
    """One output of a module during a forward pass."""

    module: str
    nth: int
    """Number of the call of this module, from 1."""
    shape: tuple[int, ...]
    """Shape of the output."""
    is_pool: bool = False
    """Whether the module is an adaptive pool, whose grid does not depend on the input's size."""
    cells: tuple[Cells, ...] | None = None
    """Where the cells of its grid lie on the input, per axis; None if the output is not a grid over it."""
    channels_last: bool = False
    """Whether the output is (batch, *grid, channels)."""
    lost: str = ""
    """The operation after which the place of its cells is unknown."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return self.shape[1:-1] if self.channels_last else self.shape[2:]


def trace(network: nn.Module, inputs: Tensor) -> tuple[Call, ...]:
    """Tensor outputs of all modules, in the order of the forward pass; the network is not changed."""
    calls: list[Call] = []
    counts: dict[str, int] = {}
    own = inputs.clone()  # a network may overwrite its input
    made = (tensor for tensor in (*network.parameters(), *network.buffers()) if not is_lazy(tensor))
    following = Following(own, made)

    def record(name: str, module: nn.Module, output: object) -> None:
        if isinstance(output, Tensor):
            counts[name] = counts.get(name, 0) + 1
            call = Call(name, counts[name], tuple(output.shape), isinstance(module, ADAPTIVE_POOLS))
            calls.append(_placed(call, following.layout_of(output), inputs.dim()))

    with _hooked(network, record), torch.no_grad(), following:
        network(own)
    return tuple(calls)


def _placed(call: Call, layout: Layout | Lost, dimensions: int) -> Call:
    """The call with its cells, if its output is a grid over the input."""
    if isinstance(layout, Lost):
        return replace(call, lost=layout.operation)
    if len(layout) != dimensions:
        return call
    if (found := cells(layout, range(2, dimensions))) is not None:
        return replace(call, cells=found)
    if (found := cells(layout, range(1, dimensions - 1))) is not None:
        return replace(call, cells=found, channels_last=True)
    return call


def resolve(calls: tuple[Call, ...], inputs: Tensor, layer: str) -> Call:
    """The call that `layer` names: "last", "stride8", a module's name (its last call) or "name#1".

    "last" is the last output that is a grid of more than one cell over the input; adaptive pools do not
    count. "strideN" is the last of these outputs whose cells are N pixels apart. Raises ConfigError if there
    is none, or if the place of its cells is unknown.
    """
    if layer == "last":
        return _last(calls, inputs.dim())
    if match := STRIDE.fullmatch(layer):
        return _at_stride(_features(calls, inputs.dim()), int(match[1]))
    return _named(calls, inputs, layer)


def _last(calls: tuple[Call, ...], dimensions: int) -> Call:
    features = [call for call in _candidates(calls, dimensions) if call.cells or call.lost]
    if not features:
        raise ConfigError(
            "layer 'last': the network has no activation with a grid before its output; choose a method that "
            "reads the input, such as 'input_x_gradient'"
        )
    if features[-1].lost:
        raise ConfigError(f"layer 'last': {_without_place(features[-1])}")
    return features[-1]


def _without_place(call: Call) -> str:
    """Why the cells of a call have no place, and what to do."""
    name = f"the output of '{call.module}' {call.shape}"
    remedy = "name a layer before it, as in gradcam@<module>, or use a method that reads the input"
    if call.lost:
        return (
            f"where the cells of {name} lie on the image is unknown after the operation {call.lost}; {remedy}"
        )
    return f"{name} is not a grid over the image; {remedy}"


def _at_stride(features: list[Call], wanted: int) -> Call:
    found = [call for call in features if _stride(call) == wanted]
    if not found:
        strides = sorted({_stride(call) for call in features})
        raise ConfigError(
            f"layer 'stride{wanted}': the network has no activation of stride {wanted}, only {strides}; "
            "choose one of these, or name a module"
        )
    return found[-1]


def _named(calls: tuple[Call, ...], inputs: Tensor, layer: str) -> Call:
    match = NTH.fullmatch(layer)
    name = match[1] if match else layer
    found = [call for call in calls if call.module == name and call.module]
    if not found:
        known = {call.module: None for call in calls if call.module}
        raise ConfigError(f"layer '{layer}': the network has no such module{did_you_mean(name, known)}")
    nth = int(match[2]) if match else len(found)
    if not 1 <= nth <= len(found):
        raise ConfigError(
            f"layer '{layer}': the module is called {len(found)} times; choose #1 to #{len(found)}"
        )
    call = found[nth - 1]
    if len(call.shape) != inputs.dim():
        raise ConfigError(
            f"layer '{layer}': its output {call.shape} has no grid; choose a layer before the global pooling"
        )
    if call.cells is None:
        raise ConfigError(f"layer '{layer}': {_without_place(call)}")
    return call


def _candidates(calls: tuple[Call, ...], dimensions: int) -> list[Call]:
    """Outputs with as many dimensions as the input and more than one cell, without adaptive pools."""
    return [
        call
        for call in calls
        if call.module and not call.is_pool and len(call.shape) == dimensions and max(call.grid) > 1
    ]


def _features(calls: tuple[Call, ...], dimensions: int) -> list[Call]:
    """The candidates whose cells have a place."""
    return [call for call in _candidates(calls, dimensions) if call.cells]


def _stride(call: Call) -> int:
    return max(round(abs(axis.step)) for axis in call.cells or ())


@contextmanager
def _hooked(network: nn.Module, record: Callable[[str, nn.Module, object], None]) -> Iterator[None]:
    """Register forward hooks on all modules that call record(name, module, output); always removed."""
    handles = []
    try:
        for name, module in network.named_modules():
            handles.append(module.register_forward_hook(_recording(name, record)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _recording(
    name: str, record: Callable[[str, nn.Module, object], None]
) -> Callable[[nn.Module, object, object], None]:
    return lambda module, _inputs, output: record(name, module, output)

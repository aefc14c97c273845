"""Layers: where in a network relevance is read: by module name, by stride, or last before global pooling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

STRIDE = re.compile(r"stride(\d+)")
NTH = re.compile(r"(.+)#(\d+)")
ADAPTIVE_POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


@dataclass(frozen=True, slots=True)
class Call:
    """One output of a module during a forward pass."""

    module: str
    nth: int
    """Which call of this module, from 1."""
    shape: tuple[int, ...]
    is_pool: bool = False
    """Whether the module pools to a grid of fixed size, whatever the input's: it ends the features."""


def trace(network: nn.Module, inputs: Tensor) -> tuple[Call, ...]:
    """Every module's tensor outputs in the order in which they were made; the network is left as it was."""
    calls: list[Call] = []
    counts: dict[str, int] = {}

    def record(name: str, module: nn.Module, output: object) -> None:
        if isinstance(output, Tensor):
            counts[name] = counts.get(name, 0) + 1
            calls.append(Call(name, counts[name], tuple(output.shape), isinstance(module, ADAPTIVE_POOLS)))

    with _hooked(network, record), torch.no_grad():
        network(inputs.clone())  # a network may overwrite its input
    return tuple(calls)


def resolve(calls: tuple[Call, ...], inputs: Tensor, layer: str) -> Call:
    """The call that `layer` means: "last", "stride8", or a module's name, at its last call or at "name#1".

    "last" is the last output with a grid before the first one without (the global pool); "strideN" the last
    output whose grid is the input's divided by N.
    """
    if layer == "last":
        return _last(_features(calls, inputs.dim()))
    if match := STRIDE.fullmatch(layer):
        return _at_stride(_features(calls, inputs.dim()), inputs, int(match[1]))
    return _named(calls, inputs, layer)


def _last(features: list[Call]) -> Call:
    if not features:
        raise ConfigError("layer 'last': the network has no activation with a grid before its output")
    return features[-1]


def _at_stride(features: list[Call], inputs: Tensor, wanted: int) -> Call:
    found = [call for call in features if _stride(call, inputs) == wanted]
    if not found:
        strides = sorted({_stride(call, inputs) for call in features})
        raise ConfigError(
            f"layer 'stride{wanted}': the network has no activation of stride {wanted}, only {strides}"
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
        raise ConfigError(f"layer '{layer}': the module is called {len(found)} times, from #1")
    call = found[nth - 1]
    if len(call.shape) != inputs.dim():
        raise ConfigError(f"layer '{layer}': its output {call.shape} has no grid to draw a map on")
    return call


def _features(calls: tuple[Call, ...], dimensions: int) -> list[Call]:
    """Outputs with a grid of more than one cell, up to the last grid → no grid step."""
    return [
        call
        for call in calls
        if call.module and not call.is_pool and len(call.shape) == dimensions and max(call.shape[2:]) > 1
    ]


def _stride(call: Call, inputs: Tensor) -> int:
    return max(round(n / cells) for n, cells in zip(inputs.shape[2:], call.shape[2:], strict=True))


@contextmanager
def _hooked(network: nn.Module, record: Callable[[str, nn.Module, object], None]) -> Iterator[None]:
    """Forward hooks on every module that call record(name, module, output), removed on every way out."""
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

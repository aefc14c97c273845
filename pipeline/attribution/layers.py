"""Layers: where in a network relevance is read: by module name, by stride, or last before global pooling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

STRIDE = re.compile(r"stride(\d+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One output of a module during a forward pass."""

    module: str
    nth: int
    """Which call of this module, from 1."""
    shape: tuple[int, ...]


def trace(network: nn.Module, inputs: Tensor) -> tuple[Call, ...]:
    """Every module's tensor outputs in the order in which they were made; the network is left as it was."""
    calls: list[Call] = []
    counts: dict[str, int] = {}

    def record(name: str, output: object) -> None:
        if isinstance(output, Tensor):
            counts[name] = counts.get(name, 0) + 1
            calls.append(Call(name, counts[name], tuple(output.shape)))

    with _hooked(network, record), torch.no_grad():
        network(inputs)
    return tuple(calls)


def resolve(calls: tuple[Call, ...], inputs: Tensor, layer: str) -> Call:
    """The call that `layer` means: "last", "stride8", or a module's name (its last call).

    "last" is the last output with a grid before the first one without (the global pool); "strideN" the last
    output whose grid is the input's divided by N.
    """
    spatial = _before_pooling(calls, inputs.dim())
    if layer == "last":
        found = spatial
    elif match := STRIDE.fullmatch(layer):
        wanted = int(match[1])
        found = [call for call in spatial if _stride(call, inputs) == wanted]
        if not found:
            strides = sorted({_stride(call, inputs) for call in spatial})
            raise ConfigError(
                f"layer '{layer}': the network has no activation of stride {wanted}, only {strides}"
            )
    else:
        found = [call for call in calls if call.module == layer]
        if not found:
            known = {call.module: None for call in calls}
            raise ConfigError(f"layer '{layer}': the network has no such module{did_you_mean(layer, known)}")
        if len(found[-1].shape) != inputs.dim():
            raise ConfigError(f"layer '{layer}': its output {found[-1].shape} has no grid to draw a map on")
    if not found:
        raise ConfigError(f"layer '{layer}': the network has no activation with a grid before its output")
    return found[-1]


def _before_pooling(calls: tuple[Call, ...], dimensions: int) -> list[Call]:
    """Outputs with a grid of more than one cell, up to the last grid → no grid step."""
    gridded = [len(call.shape) == dimensions and max(call.shape[2:]) > 1 for call in calls]
    end = len(gridded) - gridded[::-1].index(True) if any(gridded) else 0
    return [
        call for call, has_grid in zip(calls[:end], gridded[:end], strict=True) if has_grid and call.module
    ]


def _stride(call: Call, inputs: Tensor) -> int:
    return round(inputs.shape[2] / call.shape[2])


@contextmanager
def _hooked(network: nn.Module, record: object) -> Iterator[None]:
    """Forward hooks on every module that call record(name, output), removed on every way out."""
    handles = []
    try:
        for name, module in network.named_modules():
            handles.append(
                module.register_forward_hook(lambda _m, _i, output, name=name: record(name, output))  # type: ignore[operator]
            )
        yield
    finally:
        for handle in handles:
            handle.remove()

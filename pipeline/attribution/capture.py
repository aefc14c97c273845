"""Capture: hooks that keep, or replace, the outputs of chosen calls during one forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pipeline.attribution.layers import Call


@contextmanager
def captured(
    network: nn.Module, calls: Iterable[Call], *, graph_from: Call | None
) -> Iterator[dict[Call, Tensor]]:
    """Each call's output, there once a forward pass was run inside; from `graph_from` on with autograd.

    What is kept is a copy, and what flows on another: an in-place operation, before or behind the layer, then
    overwrites neither.
    """
    kept: dict[Call, Tensor] = {}

    def keep(call: Call, output: Tensor) -> Tensor:
        kept[call] = output.clone()
        if call == graph_from:
            torch.set_grad_enabled(True)  # until the no_grad block around the forward pass ends
        if (
            torch.is_grad_enabled() and not kept[call].requires_grad
        ):  # a branch beside `graph_from` is a start, too
            kept[call].requires_grad_()
        return kept[call].clone()

    with torch.no_grad(), _hooked(network, calls, keep):
        yield kept


@contextmanager
def replaced(network: nn.Module, call: Call, activations: Tensor) -> Iterator[None]:
    """In a forward pass inside, the call's output is `activations`."""
    with _hooked(network, [call], lambda _call, _output: activations.clone()):
        yield


@contextmanager
def _hooked(
    network: nn.Module, calls: Iterable[Call], change: Callable[[Call, Tensor], Tensor]
) -> Iterator[None]:
    """Hooks that pass the output of each of the calls through `change`, removed on every way out."""
    by_module: dict[str, dict[int, Call]] = defaultdict(dict)
    for call in calls:
        by_module[call.module][call.nth] = call
    handles = []
    try:
        for name, by_number in by_module.items():
            hook = _counting(by_number, change)
            handles.append(network.get_submodule(name).register_forward_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _counting(
    by_number: Mapping[int, Call], change: Callable[[Call, Tensor], Tensor]
) -> Callable[[nn.Module, object, Tensor], Tensor | None]:
    """A hook that counts the calls of its module; those that nobody asked for it leaves alone."""
    count = 0

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        nonlocal count
        if isinstance(output, Tensor):
            count += 1
            if count in by_number:
                return change(by_number[count], output)
        return None

    return hook

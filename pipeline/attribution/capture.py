"""Capture: hooks that record or replace the outputs of chosen module calls during a forward pass."""

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
    """Call → output, filled by the forward pass that runs inside `with`; autograd is on from `graph_from`.

    The recorded tensor is one copy and the network continues with another, so that in-place operations before
    or after the layer overwrite neither.
    """
    kept: dict[Call, Tensor] = {}

    def store_output(call: Call, output: Tensor) -> Tensor:
        kept[call] = output.clone()
        if call == graph_from:
            torch.set_grad_enabled(True)  # until the no_grad block around the forward pass ends
        if torch.is_grad_enabled() and not kept[call].requires_grad:
            kept[call].requires_grad_()  # a layer on a branch parallel to `graph_from` starts a graph, too
        return kept[call].clone()

    with torch.no_grad(), _hooked(network, calls, store_output):
        yield kept


@contextmanager
def replaced(network: nn.Module, call: Call, activations: Tensor) -> Iterator[None]:
    """Inside `with`, the output of a call is made of other activations (batch, channels, *grid)."""
    with _hooked(network, [call], lambda call, output: call.with_grid(output, activations)):
        yield


@contextmanager
def _hooked(
    network: nn.Module, calls: Iterable[Call], change: Callable[[Call, Tensor], Tensor]
) -> Iterator[None]:
    """Register hooks that pass the outputs of the calls through `change`; they are always removed."""
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
    """A hook that counts the calls of its module and changes only the outputs of the listed calls."""
    count = 0

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        nonlocal count
        if isinstance(output, Tensor):
            count += 1
            if count in by_number:
                return change(by_number[count], output)
        return None

    return hook


def reads(network: nn.Module, inputs: Tensor) -> Callable[[Call], bool]:
    """Whether the network's outputs depend on the cells of a call; True of layers without tokens.

    The cells are made NaN, which no operation hides.
    """

    @torch.no_grad()
    def is_read(call: Call) -> bool:
        if call.tokens is None:
            return True
        nothing = inputs.new_full((len(inputs), call.shape[-1], *call.grid), torch.nan)
        with replaced(network, call, nothing):
            outputs = network(inputs.clone())
        return not isinstance(outputs, Tensor) or not bool(outputs.isfinite().all())

    return is_read

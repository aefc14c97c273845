"""Layers: find a target layer by module name, by stride, or as the last one before global pooling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pipeline.attribution.receptive_field.following import Following
from pipeline.attribution.receptive_field.layout import Layout, Lost, cells, token_cells
from pipeline.errors import ConfigError
from pipeline.records import Cells
from pipeline.registry import did_you_mean

STRIDE = re.compile(r"stride(\d+)")
NTH = re.compile(r"(.+)#(\d+)")
NOT_ROW_BY_ROW = "a step that orders tokens other than row by row"
TOKENS = 3
"""Dimensions of tokens (batch, tokens, channels)."""
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
    tokens: tuple[int, int] | None = None
    """Of tokens (batch, tokens, channels): how many come before and after those of the grid, such as a class
    token and registers; None for other outputs."""
    in_attention: bool = False
    """Whether the module is part of one that attends, such as its queries and keys, and no norm."""
    lost: str = ""
    """The operation after which the place of its cells is unknown."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Cells along each axis."""
        if self.tokens is not None:
            return tuple(axis.size for axis in self.cells or ())
        return self.shape[1:-1] if self.channels_last else self.shape[2:]

    def on_grid(self, values: Tensor) -> Tensor:
        """Values at the output (…, *shape) with channels before the grid, without tokens beside the grid."""
        if self.tokens is not None:
            patches = values.narrow(-2, self.tokens[0], torch.Size(self.grid).numel()).mT
            return patches.reshape(*patches.shape[:-1], *self.grid)
        return values.movedim(-1, 1 - len(self.shape)) if self.channels_last else values

    def with_grid(self, output: Tensor, activations: Tensor) -> Tensor:
        """The output with other activations (batch, channels, *grid); tokens beside the grid stay."""
        if self.tokens is not None:
            before, after = self.tokens
            patches = activations.flatten(2).mT
            return torch.cat([output[:, :before], patches, output[:, output.shape[1] - after :]], dim=1)
        return activations.movedim(1, -1) if self.channels_last else activations.clone()


def trace(network: nn.Module, inputs: Tensor) -> tuple[Call, ...]:
    """Tensor outputs of all modules, in the order of the forward pass; the network is not changed."""
    calls: list[Call] = []
    counts: dict[str, int] = {}
    running: list[str] = []
    attending: set[str] = set()
    own = inputs.clone()  # a network may overwrite its input
    made = (tensor for tensor in (*network.parameters(), *network.buffers()) if not is_lazy(tensor))
    following = Following(own, made, on_attention=lambda: attending.add(running[-1]))

    def record(name: str, module: nn.Module, output: object) -> None:
        running.pop()
        if isinstance(output, Tensor):
            counts[name] = counts.get(name, 0) + 1
            call = Call(name, counts[name], tuple(output.shape), isinstance(module, ADAPTIVE_POOLS))
            calls.append(_placed(call, following.layout_of(output), inputs.dim()))

    with _hooked(network, running.append, record), torch.no_grad(), following:
        network(own)
    norms = {name for name, module in network.named_modules() if "norm" in type(module).__name__.lower()}
    return tuple(
        replace(call, in_attention=call.module not in norms and _is_part(call.module, attending))
        for call in calls
    )


def _is_part(module: str, of: Iterable[str]) -> bool:
    return any(module != whole and (not whole or module.startswith(f"{whole}.")) for whole in of)


def _placed(call: Call, layout: Layout | Lost, dimensions: int) -> Call:
    """The call with its cells, if its output is a grid over the input."""
    if isinstance(layout, Lost):
        return replace(call, lost=layout.operation)
    if len(layout) == TOKENS < dimensions:
        return _placed_tokens(call, layout, dimensions - 2)
    if len(layout) != dimensions:
        return call
    if (found := cells(layout, range(2, dimensions))) is not None:
        return replace(call, cells=found)
    if (found := cells(layout, range(1, dimensions - 1))) is not None:
        return replace(call, cells=found, channels_last=True)
    return call


def _placed_tokens(call: Call, layout: Layout, axes: int) -> Call:
    """The call with the cells of its tokens (batch, tokens, channels), if they lie on all axes."""
    batch, tokens, _ = layout
    if batch.axes or len(tokens.axes) < axes:
        return call
    if (found := token_cells(layout, axes)) is None:
        return replace(call, lost=NOT_ROW_BY_ROW)
    return replace(call, cells=found, tokens=(tokens.before, tokens.after))


def resolve(
    calls: tuple[Call, ...],
    inputs: Tensor,
    layer: str,
    *,
    is_read: Callable[[Call], bool] = lambda _call: True,
) -> Call:
    """The call that `layer` names: "last", "stride8", a module's name (its last call) or "name#1".

    "last" is the last output that is a grid of more than one cell over the input; adaptive pools do not
    count. Tokens on a grid count if logits depend on them, which `is_read` says: behind the last attention,
    most transformers read the class token alone. "strideN" is the last of these outputs whose cells are N
    pixels apart. Raises ConfigError if there is none, or if the place of its cells is unknown.
    """
    if layer == "last":
        return _last(calls, inputs.dim(), is_read)
    if match := STRIDE.fullmatch(layer):
        return _at_stride(calls, inputs.dim(), is_read, int(match[1]))
    return _named(calls, inputs, layer, is_read)


def _last(calls: tuple[Call, ...], dimensions: int, is_read: Callable[[Call], bool]) -> Call:
    for call in reversed(calls):
        if (call.cells or call.lost) and _is_feature(call, dimensions) and is_read(call):
            if call.lost:
                raise ConfigError(f"layer 'last': {_without_place(call)}")
            return call
    raise ConfigError(
        "layer 'last': the network has no activation with a grid before its output; choose a method that "
        "reads the input, such as 'input_x_gradient'"
    )


def _is_feature(call: Call, dimensions: int) -> bool:
    """Whether the output is a grid of more than one cell, of no adaptive pool, or tokens between blocks."""
    if not call.module or call.is_pool:
        return False
    if len(call.shape) == dimensions:
        return max(call.grid) > 1
    return len(call.shape) == TOKENS < dimensions and not call.in_attention


def _without_place(call: Call) -> str:
    """Why the cells of a call have no place, and what to do."""
    name = f"the output of '{call.module}' {call.shape}"
    remedy = "name a layer before it, as in gradcam@<module>, or use a method that reads the input"
    if call.lost:
        step = call.lost if call.lost.startswith("a step") else f"the operation {call.lost}"
        return f"where the cells of {name} lie on the image is unknown after {step}; {remedy}"
    return f"{name} is not a grid over the image; {remedy}"


def _at_stride(
    calls: tuple[Call, ...], dimensions: int, is_read: Callable[[Call], bool], wanted: int
) -> Call:
    features = [call for call in calls if call.cells and _is_feature(call, dimensions)]
    for call in reversed(features):
        if _stride(call) == wanted and is_read(call):
            return call
    strides = sorted({_stride(call) for call in features})
    raise ConfigError(
        f"layer 'stride{wanted}': the network has no activation of stride {wanted}, only {strides}; "
        "choose one of these, or name a module"
    )


def _named(calls: tuple[Call, ...], inputs: Tensor, layer: str, is_read: Callable[[Call], bool]) -> Call:
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
    if len(call.shape) != inputs.dim() and not (call.tokens or call.lost):
        raise ConfigError(
            f"layer '{layer}': its output {call.shape} has no grid; choose a layer before the global pooling"
        )
    if call.cells is None:
        raise ConfigError(f"layer '{layer}': {_without_place(call)}")
    if not is_read(call):
        raise ConfigError(
            f"layer '{layer}': no output depends on its tokens on the grid, only on others, such as a class "
            "token; name a layer before the last attention, such as 'last'"
        )
    return call


def _stride(call: Call) -> int:
    return max(round(abs(axis.step)) for axis in call.cells or ())


@contextmanager
def _hooked(
    network: nn.Module, begin: Callable[[str], None], record: Callable[[str, nn.Module, object], None]
) -> Iterator[None]:
    """Hooks on all modules call begin(name) and record(name, module, output) inside `with`."""
    handles = []
    try:
        for name, module in network.named_modules():
            handles.append(module.register_forward_pre_hook(partial(_begin, name, begin)))
            handles.append(module.register_forward_hook(_recording(name, record)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _begin(name: str, begin: Callable[[str], None], _module: nn.Module, _inputs: object) -> None:
    begin(name)


def _recording(
    name: str, record: Callable[[str, nn.Module, object], None]
) -> Callable[[nn.Module, object, object], None]:
    return lambda module, _inputs, output: record(name, module, output)

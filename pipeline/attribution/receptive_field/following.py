"""Following: one forward pass of a network, in which every tensor keeps its positions on the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from pipeline.attribution.receptive_field.joining import pointwise
from pipeline.attribution.receptive_field.layout import (
    Dimension,
    Layout,
    Lost,
    has_positions,
    is_rolled,
    of_input,
    plain,
)
from pipeline.attribution.receptive_field.operation import Operation
from pipeline.attribution.receptive_field.rules import RULES, attends

OUTSIDE = Lost("a step outside of torch, such as NumPy or .data")
ROLLED = Lost("roll")


class Following(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Inside `with`, every operation of torch passes the positions of its inputs on to its outputs."""

    def __init__(
        self,
        inputs: Tensor,
        constants: Iterable[Tensor] = (),
        *,
        on_attention: Callable[[], None] = lambda: None,
    ) -> None:
        """`constants` are the network's parameters and buffers; each attention calls `on_attention`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._on_attention = on_attention
        self._batch = inputs.shape[:1], inputs.dim()
        self._layouts: MutableMapping[Tensor, Layout | Lost] = WeakTensorKeyDictionary()
        self._layouts.update((tensor, plain(tensor.shape)) for tensor in constants)
        self._layouts[inputs] = of_input(inputs.shape)
        self._written: MutableMapping[Tensor, int] = WeakTensorKeyDictionary()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, so that torch does not load its compiler, which would take seconds at the start of a run."""
        return False

    def layout_of(self, tensor: Tensor) -> Layout | Lost:
        """The layout of a tensor; without positions if it was not computed from the input."""
        layout = self._layout_of(tensor)
        return ROLLED if is_rolled(layout) else layout

    def _layout_of(self, tensor: Tensor) -> Layout | Lost:
        """The layout of a tensor, which may be rolled.

        A tensor of a batch that no operation has made came from outside of torch: its positions are lost.
        """
        found = self._layouts.get(tensor)
        if found is not None:
            return found
        if is_lazy(tensor):  # a parameter that this forward pass makes
            return ()
        return OUTSIDE if (tensor.shape[:1], tensor.dim()) == self._batch else plain(tensor.shape)

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        operation = Operation(_arguments(function, args, kwargs or {}), self._layout_of, result)
        inputs = [self._layout_of(tensor) for tensor in operation.tensors]
        if any(isinstance(layout, Lost) or has_positions(layout) for layout in inputs):
            self._keep(result, self._layout(function, operation))
            if attends(_name(function), operation):
                self._on_attention()
            if _schema(function).is_mutable and isinstance(result, Tensor):
                self._keep_whole(result)
        else:
            self._keep_plain(result)
        return result

    def _keep_plain(self, result: Any) -> None:
        """Record that the result has no positions, because no input had any."""
        for tensor in result if isinstance(result, list | tuple) else [result]:
            if isinstance(tensor, Tensor):
                self._layouts[tensor] = plain(tensor.shape)

    def _layout(self, function: Any, operation: Operation) -> Any:
        name = _name(function)
        rule = RULES.get(name.removesuffix("_") if name not in RULES else name)
        if rule is None and torch.Tag.pointwise in function.tags:
            rule = pointwise
        found = None if rule is None else rule(operation)
        if found is not None:
            return found
        layouts = [self._layout_of(tensor) for tensor in operation.tensors]
        unknown = ROLLED if any(map(is_rolled, layouts)) else Lost(name.strip("_"))
        return next((layout for layout in layouts if isinstance(layout, Lost)), unknown)

    def _keep(self, result: Any, layout: Any) -> None:
        """Record the layout of the result; of a list of tensors, one each, or of the first's shape."""
        if isinstance(result, Tensor):
            fits = isinstance(layout, Lost) or [d.size for d in layout] == list(result.shape)
            self._layouts[result] = layout if fits else Lost("an operation of unexpected shape")
        elif isinstance(result, list | tuple):
            layouts = layout if isinstance(layout, list) else [layout] * len(result)
            for tensor, own in zip(result, layouts, strict=False):
                if isinstance(tensor, Tensor):
                    known = Lost("an uneven cut") if own is None else own
                    same = isinstance(known, Lost) or [d.size for d in known] == list(tensor.shape)
                    self._layouts[tensor] = known if same else plain(tensor.shape)

    def _keep_whole(self, part: Tensor) -> None:
        """After a write to part of a tensor without positions, the tensor lies where its largest part does.

        So circular padding keeps the places of its middle.
        """
        whole, layout = part._base, self._layout_of(part)  # noqa: SLF001  torch has no other way to it
        written = None if whole is None else self._written.get(whole)
        if whole is None or part.numel() <= (written or 0) or not has_positions(layout):
            return
        if written or not has_positions(self._layout_of(whole)):
            self._written[whole] = part.numel()
            self._layouts[whole] = _extended(layout, part, whole) or Lost("a write to part of a tensor")


def _extended(layout: Layout | Lost, part: Tensor, whole: Tensor) -> Layout | None:
    """The layout of a tensor, continued evenly from a part of it that was sliced."""
    if isinstance(layout, Lost) or part.dim() != whole.dim():
        return None
    offset, found = int(part.storage_offset() - whole.storage_offset()), list(layout)
    strides = whole.stride()
    for dim in sorted(range(whole.dim()), key=lambda i: (-strides[i], -whole.shape[i])):
        first, offset = divmod(offset, strides[dim]) if whole.shape[dim] > 1 else (0, offset)
        every = max(part.stride(dim) // strides[dim], 1) if part.shape[dim] > 1 else 1
        if layout[dim].size == whole.shape[dim]:
            continue
        factor = layout[dim].run
        if factor is None:
            return None
        step = factor.step / every
        start = factor.start - (first - first % every + (every - 1) / 2) * step
        extended = replace(factor, size=whole.shape[dim], start=start, step=step)
        found[dim] = Dimension((extended,))
    return tuple(found)


def _arguments(function: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments of an operation by the names of its schema, with defaults."""
    listed = _schema(function).arguments
    names = [argument.name for argument in listed]
    defaults = {argument.name: argument.default_value for argument in listed if argument.has_default_value()}
    return {**defaults, **dict(zip(names, args, strict=False)), **kwargs}


def _name(function: Any) -> str:
    name: str = _schema(function).name
    return name.partition("::")[2]


def _schema(function: Any) -> Any:
    return function._schema  # noqa: SLF001  torch has no other way to the names of arguments

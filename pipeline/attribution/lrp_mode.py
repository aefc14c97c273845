"""Mode of LRP: what a network computes inside `with` passes relevance back where it would pass a gradient.

A `TorchFunctionMode` meets every operation while the network runs, however the network calls it, so that
the network itself stays as it is. An operation without a rule is left alone, and then found in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from pipeline.attribution.lrp_operations import (
    Operation,
    moves,
    out_of_place,
    rule_of,
    scale_and_shift,
    signal_alone,
)
from pipeline.attribution.lrp_rules import Composite, OfConvolution
from pipeline.attribution.lrp_shares import Rule, gate


class RelevanceMode(TorchFunctionMode):
    """Inside `with`, operations on tensors that require a gradient pass relevance back."""

    def __init__(self, composite: Composite) -> None:
        super().__init__()
        self.composite = composite

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's own output, behind it a rule where there is one."""
        kwargs = kwargs or {}
        places = tuple(n for n, value in enumerate(args) if isinstance(value, Tensor) and value.requires_grad)
        if not places:
            return function(*args, **kwargs)
        if function is functional.batch_norm:
            return self._batch_norm(args, kwargs)
        operation = Operation(getattr(function, "__name__", ""), function, args, kwargs, places)
        if (instead := out_of_place(operation)) is None:
            output = self._ruled(operation)
            return function(*args, **kwargs) if output is None else output
        # A rule needs the values that are about to be overwritten.
        output = self._ruled(replace(instead, args=(args[0].clone(), *instead.args[1:])))
        return function(*args, **kwargs) if output is None else args[0].copy_(output)

    def _ruled(self, operation: Operation) -> Tensor | None:
        """The operation's output with its rule; None where it has none."""
        operation = signal_alone(operation)
        rule = rule_of(operation, self.composite)
        if rule is None:
            return None
        inputs = [operation.args[place] for place in operation.places]
        return _Ruled.apply(operation, rule, *inputs)  # type: ignore[no-untyped-call,no-any-return]

    def _batch_norm(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
        """Its output; where a convolution made its input, the rule is that of the two together."""
        affine = scale_and_shift(*args, **kwargs)
        with torch.set_grad_enabled(affine is None):
            output = functional.batch_norm(*args, **kwargs)
        if affine is None:
            return output
        scale, shift = affine
        inputs, made_by = args[:1], getattr(args[0].grad_fn, "rule", None)
        rule: Rule
        if isinstance(made_by, OfConvolution):
            inputs = args[0].grad_fn.saved_tensors
            rule = self.composite.convolution(made_by.convolution.then(scale, shift))
        else:
            each = (-1, *[1] * (args[0].dim() - 2))
            rule = self.composite.batch_norm(scale.reshape(each), shift.reshape(each))
        return _Ruled.apply(lambda *_inputs: output, rule, *inputs)  # type: ignore[no-untyped-call,no-any-return]


class _Ruled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, operation: Callable[..., Tensor], rule: Rule, *inputs: Tensor) -> Tensor:
        ctx.rule = rule
        ctx.save_for_backward(*inputs)
        return operation(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, relevance: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.rule(ctx.saved_tensors, relevance))


def unruled(logits: Tensor) -> list[str]:
    """Operations between the image and the logits that would pass a gradient where relevance belongs."""
    return sorted({_operation(node) for node in _nodes(logits) if not _passes(node)})


def _passes(node: Any) -> bool:
    """Whether a node of the graph passes relevance."""
    rule = getattr(node, "rule", None)
    return moves(node) if rule is None else rule is not gate


def _operation(node: Any) -> str:
    """What it is in words: "Exp" of "ExpBackward0"."""
    if hasattr(node, "rule"):
        return "a sigmoid or softmax that is no factor"
    name: str = node.name()
    return name.partition("Backward")[0]


def _nodes(logits: Tensor) -> Iterator[Any]:
    """Every node of the graph, once."""
    waiting: list[Any] = [logits.grad_fn]
    seen: set[Any] = {None}
    while waiting:
        if (node := waiting.pop()) not in seen:
            seen.add(node)
            waiting.extend(before for before, _ in node.next_functions)
            yield node

"""LRP mode: a network that runs inside `with` propagates relevance instead of gradients.

A `TorchFunctionMode` intercepts every operation while the network runs, however the network calls it, so the
network is not modified. Operations without a rule run unchanged and are found in the autograd graph later.
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

from pipeline.attribution.lrp.operations import (
    Operation,
    gates_as_constants,
    only_moves_values,
    out_of_place,
    rule_of,
    scale_and_shift,
)
from pipeline.attribution.lrp.rules import Composite, ConvolutionRule
from pipeline.attribution.lrp.shares import Rule, gate


class RelevanceMode(TorchFunctionMode):
    """Make operations on tensors that require a gradient propagate relevance inside `with`."""

    def __init__(self, composite: Composite) -> None:
        super().__init__()
        self.composite = composite

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Output of the operation, with its LRP rule attached if it has one."""
        kwargs = kwargs or {}
        positions = tuple(
            n for n, value in enumerate(args) if isinstance(value, Tensor) and value.requires_grad
        )
        if not positions:
            return function(*args, **kwargs)
        if function is functional.batch_norm:
            return self._batch_norm(args, kwargs)
        operation = Operation(getattr(function, "__name__", ""), function, args, kwargs, positions)
        if (replacement := out_of_place(operation)) is None:
            output = self._with_rule(operation)
            return function(*args, **kwargs) if output is None else output
        # The rule needs the values that the in-place operation overwrites.
        output = self._with_rule(replace(replacement, args=(args[0].clone(), *replacement.args[1:])))
        return function(*args, **kwargs) if output is None else args[0].copy_(output)

    def _with_rule(self, operation: Operation) -> Tensor | None:
        """Output of the operation with its rule attached; None if it has no rule."""
        operation = gates_as_constants(operation)
        rule = rule_of(operation, self.composite)
        if rule is None:
            return None
        inputs = [operation.args[position] for position in operation.positions]
        return _WithRule.apply(operation, rule, *inputs)  # type: ignore[no-untyped-call,no-any-return]

    def _batch_norm(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
        """Output of batch norm; directly after a convolution, its rule is that of both merged."""
        affine = scale_and_shift(*args, **kwargs)
        with torch.set_grad_enabled(affine is None):
            output = functional.batch_norm(*args, **kwargs)
        if affine is None:
            return output
        scale, shift = affine
        inputs, previous_rule = args[:1], getattr(args[0].grad_fn, "rule", None)
        rule: Rule
        if isinstance(previous_rule, ConvolutionRule):
            inputs = args[0].grad_fn.saved_tensors
            rule = self.composite.convolution(previous_rule.convolution.followed_by(scale, shift))
        else:
            per_channel = (-1, *[1] * (args[0].dim() - 2))
            rule = self.composite.batch_norm(scale.reshape(per_channel), shift.reshape(per_channel))
        return _WithRule.apply(lambda *_inputs: output, rule, *inputs)  # type: ignore[no-untyped-call,no-any-return]


class _WithRule(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, operation: Callable[..., Tensor], rule: Rule, *inputs: Tensor) -> Tensor:
        ctx.rule = rule
        ctx.save_for_backward(*inputs)
        return operation(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, relevance: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.rule(ctx.saved_tensors, relevance))


def operations_without_rule(logits: Tensor) -> list[str]:
    """Names of the operations between image and logits that propagate a gradient instead of relevance."""
    return sorted({_operation(node) for node in _nodes(logits) if not _propagates_relevance(node)})


def _propagates_relevance(node: Any) -> bool:
    """Whether a node of the autograd graph propagates relevance."""
    rule = getattr(node, "rule", None)
    return only_moves_values(node) if rule is None else rule is not gate


def _operation(node: Any) -> str:
    """Name of a node's operation for messages, for example "Exp" of "ExpBackward0"."""
    if hasattr(node, "rule"):
        return "a sigmoid or softmax that is not a factor"
    name: str = node.name()
    return name.partition("Backward")[0]


def _nodes(logits: Tensor) -> Iterator[Any]:
    """All nodes of the autograd graph, each once."""
    queue: list[Any] = [logits.grad_fn]
    seen: set[Any] = {None}
    while queue:
        if (node := queue.pop()) not in seen:
            seen.add(node)
            queue.extend(function for function, _ in node.next_functions)
            yield node

"""Guided backpropagation: the gradient at the input, with every ReLU passing only what is positive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

from pipeline.attribution.gradients import gradients_of
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError

RELUS = frozenset({"relu", "relu_"})
"""As torch calls them, whether it is `nn.ReLU`, `functional.relu`, `torch.relu` or a tensor's method."""


def guided_backprop(forward: Forward) -> Tensor:
    """Σ over channels of the guided gradient, (batch, findings, *grid).

    For grey values that were copied into several channels the sum is the guided gradient of the grey value.
    """
    return guided_gradients(forward).sum(dim=2).transpose(0, 1)


def guided_gradients(forward: Forward) -> Tensor:
    """(findings, batch, channels, *grid), float32.

    Springenberg et al., 2015 (arXiv 1412.6806), section 4: backwards, a ReLU passes the gradient
    where its input was positive *and* the gradient itself is. ReLUs are recognised as operations while the
    network runs, so that it need not be touched, and it does not matter how it calls them. A network without
    any is a ConfigError: there the guided gradient would be the gradient.
    """
    parts = forward.inputs.split(forward.rows)
    return torch.cat([_guided(forward.network, part) for part in parts], dim=1)


@torch.enable_grad()
def _guided(network: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    leaf = inputs.detach().clone().requires_grad_()
    with _GuidedReLUs() as mode:
        logits = network(leaf.clone())
    if not mode.count:
        raise ConfigError("method 'guided_backprop': the network has no ReLU to guide; use 'saliency'")
    return gradients_of(logits, leaf, together=1).float()


class _GuidedReLUs(TorchFunctionMode):
    """Inside `with`, every ReLU is a guided one."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(function, "__name__", "")
        if name not in RELUS:
            return function(*args, **kwargs)
        self.count += 1
        values = kwargs.pop("input") if "input" in kwargs else args[0]
        guided = _GuidedReLU.apply(values)  # type: ignore[no-untyped-call]
        in_place = name == "relu_" or kwargs.get("inplace")
        return values.copy_(guided) if in_place else guided


class _GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values > 0)
        return values.clamp(min=0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        positive: Tensor = ctx.saved_tensors[0]
        return gradient.clamp(min=0) * positive


METHOD = AttributionMethod(maps=guided_backprop, reads="input", unit="relative")

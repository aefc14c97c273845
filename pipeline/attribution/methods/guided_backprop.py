"""Guided backpropagation: gradient of the input, with negative gradients set to 0 at every ReLU."""

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
"""Names in torch of `nn.ReLU`, `functional.relu`, `torch.relu` and the tensor methods."""


def guided_backprop(forward: Forward) -> Tensor:
    """Sum over channels of the guided gradient, (batch, findings, *grid).

    For a greyscale image copied into several channels, it is the guided gradient of the grey value.
    """
    return guided_gradients(forward).sum(dim=2).transpose(0, 1)


def guided_gradients(forward: Forward) -> Tensor:
    """Guided gradients (findings, batch, channels, *grid), float32.

    Springenberg et al., 2015 (arXiv 1412.6806), section 4: in the backward pass, a ReLU passes the gradient
    where both its input and the gradient are positive. ReLUs are intercepted as operations while the network
    runs, so that the network is not modified and may call them in any way. Raises ConfigError if the network
    has no ReLU, because the guided gradient would equal the gradient.
    """
    parts = forward.inputs.split(forward.rows)
    return torch.cat([_guided(forward.network, part) for part in parts], dim=1)


@torch.enable_grad()
def _guided(network: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    leaf = inputs.detach().clone().requires_grad_()
    with _GuidedReLUs() as mode:
        logits = network(leaf.clone())
    if not mode.count:
        raise ConfigError("method 'guided_backprop': the network has no ReLU; use 'saliency'")
    return gradients_of(logits, leaf, logits_per_pass=1).float()


class _GuidedReLUs(TorchFunctionMode):
    """Replace every ReLU by a guided one inside `with`, and count them."""

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

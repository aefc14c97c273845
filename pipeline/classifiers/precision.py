"""Precision: a network whose convolutions compute in bfloat16, which has 8 significant bits."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError
from pipeline.records import Shape

REFUSED: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What networks raise for arguments, inputs or types that do not fit."""


def to_bfloat16(network: nn.Module, *, channels: int, shape: Shape) -> None:
    """Convert the convolutions of a network for inputs (batch, channels, *shape); it is changed in place.

    Batch norm and the layer that gives the logits stay float32, be it a convolution, as in a SqueezeNet.
    Raises ConfigError if the network multiplies float32 weights by itself, without a layer of torch.
    """
    images = torch.zeros(1, channels, *shape, device=next(network.parameters(), torch.empty(0)).device)
    last = _last_layer(network, images)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module is not last:
            module.to(torch.bfloat16)
            module.register_forward_pre_hook(_as_bfloat16)
        elif isinstance(module, nn.Linear) or module is last:
            module.register_forward_pre_hook(_as_float32)
    if last is None:
        return
    try:
        with torch.no_grad():
            network(images.bfloat16())
    except REFUSED as error:
        raise ConfigError(
            "precision: bfloat16 is not possible for this network, which mixes it with weights in float32; "
            "set precision: float32"
        ) from error


def _last_layer(network: nn.Module, images: Tensor) -> nn.Module | None:
    """The convolution or linear layer that is called last; None if the network cannot compute the images.

    Why it cannot is told where it is traced.
    """
    called: list[nn.Module] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_pre_hook(lambda one, _inputs: called.append(one)) for layer in layers]
    try:
        with torch.no_grad():
            network(images)
    except REFUSED:
        return None
    finally:
        for handle in handles:
            handle.remove()
    return called[-1] if called else None


def _as_bfloat16(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a gate or a norm has made float32."""
    return tuple(tensor.bfloat16() for tensor in inputs)


def _as_float32(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor.float() for tensor in inputs)

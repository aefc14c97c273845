"""torchvision's networks: those of its registry that classify images, without weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from pipeline.classifiers.architectures.signatures import check_arguments
from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

COLOURS = 3
ASKED = {"inception_v3": "transform_input", "googlenet": "transform_input"}
"""Networks with an argument that torchvision sets with pretrained weights only, and that no tensor shows."""


def network(*, name: str, in_channels: int, out_channels: int, **arguments: Any) -> nn.Module:
    """The network that torchvision calls `name`; its first convolution takes `in_channels`.

    Raises ConfigError if torchvision is not installed or has no such network.
    """
    try:
        import torchvision.models as registry  # noqa: PLC0415  # an extra
    except (ImportError, RuntimeError) as error:  # RuntimeError: it was built for another torch
        raise ConfigError(
            f"architecture.class: torchvision:{name}: torchvision cannot be imported beside this torch; "
            "install heatproof[torchvision]"
        ) from error
    known = registry.list_models(module=registry)
    if name not in known:
        raise ConfigError(
            f"architecture.class: torchvision:{name}: torchvision has no such network"
            f"{did_you_mean(name, known)}"
        )
    if name in ASKED and ASKED[name] not in arguments:
        raise ConfigError(
            f"architecture.arguments.{ASKED[name]}: is missing; set it to true if the network was made with "
            "torchvision's pretrained weights, else to false: no tensor shows it"
        )
    first = {"init_weights": False} if name in ASKED else {}
    plain = registry.get_model(name, weights=None, num_classes=out_channels, **first)
    if arguments:
        check_arguments(type(plain), arguments, name=f"torchvision:{name}")
        plain = registry.get_model(name, weights=None, num_classes=out_channels, **first, **arguments)
    return plain if in_channels == COLOURS else _with_channels(plain, in_channels)


def _with_channels(network: nn.Module, channels: int) -> nn.Module:
    """The network with a first convolution of so many channels."""
    name, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, last = name.rpartition(".")
    setattr(
        network.get_submodule(parent),
        last,
        nn.Conv2d(
            channels,
            first.out_channels,
            first.kernel_size,  # type: ignore[arg-type]  # torch's stubs: any number of axes
            stride=first.stride,  # type: ignore[arg-type]
            padding=first.padding,  # type: ignore[arg-type]
            bias=first.bias is not None,
        ),
    )
    return network

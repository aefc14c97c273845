"""timm's networks: those of its registry, without weights; nothing is downloaded."""

from __future__ import annotations

from typing import Any

from torch import nn

from pipeline.classifiers.architectures.signatures import check_arguments
from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean


def network(*, name: str, in_channels: int, out_channels: int, **arguments: Any) -> nn.Module:
    """The network that timm calls `name`. Raises ConfigError if timm is not installed or has none such."""
    try:
        import timm  # noqa: PLC0415  # an extra
    except (ImportError, RuntimeError) as error:  # RuntimeError: its torchvision was built for another torch
        raise ConfigError(
            f"architecture.class: timm:{name}: timm cannot be imported beside this torch; "
            "install heatproof[timm]"
        ) from error
    known = timm.list_models()
    if name not in known:
        raise ConfigError(
            f"architecture.class: timm:{name}: timm has no such network{did_you_mean(name, known)}"
        )
    size = {"pretrained": False, "num_classes": out_channels, "in_chans": in_channels}
    plain: nn.Module = timm.create_model(name, **size)
    if not arguments:
        return plain
    check_arguments(type(plain), arguments, name=f"timm:{name}")
    changed: nn.Module = timm.create_model(name, **size, **arguments)
    return changed

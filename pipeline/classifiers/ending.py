"""Ending: how a model card replaces a network's global pooling and its last linear layer; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from pipeline.registry import did_you_mean

POOLINGS: Final = ("average", "max", "gem", "pcam")
LAYERS: Final = (
    "linear", "relu", "leaky_relu", "gelu", "silu", "tanh", "dropout", "identity", "batch_norm", "layer_norm",
)  # fmt: skip
"""Layers of a head. Dropout and identity compute nothing, but count where a file numbers its layers."""
MOST_LAYERS: Final = 32
LARGEST: Final = 2**16


def _pooling(value: object) -> object:
    """A pooling's name, or {gem: p}. Raises ValueError for anything else."""
    if isinstance(value, Mapping) and list(value) == ["gem"]:
        power = value["gem"]
        if isinstance(power, bool) or not isinstance(power, int | float) or not 1 <= power <= LARGEST:
            raise ValueError("gem: wanted a power of 1 or more; write for example {gem: 3}")
        return {"gem": float(power)}
    if value not in POOLINGS:
        raise ValueError(f"unknown pooling{did_you_mean(str(value), POOLINGS)}")
    return value


def _head(value: object) -> object:
    """Layers, the last one linear. Raises ValueError for anything else."""
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_LAYERS:
        raise ValueError("wanted a list of layers; write for example [{linear: 512}, relu, linear]")
    layers = tuple(_layer(entry) for entry in value)
    if layers[-1] != "linear":
        raise ValueError("the last layer gives the logits; end the list with linear")
    if "linear" in layers[:-1]:
        raise ValueError("only the last layer is linear without a number; write {linear: <outputs>}")
    return layers


def _layer(value: object) -> object:
    if isinstance(value, Mapping) and list(value) == ["linear"]:
        outputs = value["linear"]
        if type(outputs) is not int or not 0 < outputs <= LARGEST:
            raise ValueError(
                f"linear: wanted a whole number, 1 … {LARGEST}; write for example {{linear: 512}}"
            )
        return {"linear": outputs}
    if value not in LAYERS:
        raise ValueError(f"unknown layer{did_you_mean(str(value), LAYERS)}")
    return value


Pooling: TypeAlias = Annotated[Any, BeforeValidator(_pooling, json_schema_input_type=str | dict[str, float])]
Head: TypeAlias = Annotated[Any, BeforeValidator(_head, json_schema_input_type=list[str | dict[str, int]])]

"""Inputs: what an operator is given, as numbers or as tensors on one device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from pipeline.classifiers.onnx.graph import Node

Operation: TypeAlias = Callable[..., Tensor | Sequence[Tensor]]
"""operation(node, version, *inputs) → the output, or several."""


def together(given: Sequence[Any]) -> list[Tensor]:
    """Tensors on one device, that of the images."""
    inputs = [torch.as_tensor(one) for one in given]
    device = next((one.device for one in inputs if one.is_floating_point()), inputs[0].device)
    return [one.to(device) for one in inputs]


def number_of(value: Tensor | None, node: Node, name: str) -> float | None:
    """A number from an input, or from an attribute of older versions; None if neither states it."""
    found = node.attributes.get(name) if value is None else value.item()
    return None if found is None else float(found)


def whole(values: Tensor | None, node: Node, name: str) -> list[int]:
    """Whole numbers from an input, or from an attribute of older versions."""
    if values is None:
        return [int(one) for one in node.attributes.get(name) or ()]
    return [int(one) for one in values.reshape(-1).tolist()]

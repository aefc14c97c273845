"""Moving: operators that order, cut, join, repeat or pad arrays, as operations of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.classifiers.onnx.graph import Node
from pipeline.classifiers.onnx.inputs import Operation, number_of, together, whole
from pipeline.errors import CaseError

MOST_PADDING: Final = 2**14
"""Cells that are added at one end of an axis."""
PADDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
)


def _flatten(node: Node, _version: int, values: Tensor) -> Tensor:
    axis = node.attributes.get("axis", 1)
    axis = axis + values.dim() if axis < 0 else axis
    return values.flatten(1) if axis == 1 else values.reshape(prod(values.shape[:axis]), -1)


def _reshape(node: Node, _version: int, values: Tensor, shape: Tensor) -> Tensor:
    sides = whole(shape, node, "shape")
    if not node.attributes.get("allowzero", 0):
        sides = [values.shape[i] if side == 0 else side for i, side in enumerate(sides)]
    return values.reshape(sides)


def _transpose(node: Node, _version: int, values: Tensor) -> Tensor:
    return values.permute(node.attributes.get("perm") or list(range(values.dim()))[::-1])


def _squeeze(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = whole(axes, node, "axes")
    return values.squeeze(tuple(dims)) if dims else values.squeeze()


def _unsqueeze(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = whole(axes, node, "axes")
    for dim in sorted(dim % (values.dim() + len(dims)) for dim in dims):
        values = values.unsqueeze(dim)
    return values


def _concatenated(node: Node, _version: int, *parts: Tensor) -> Tensor:
    return torch.cat(together(parts), node.attributes["axis"])


def _split(node: Node, _version: int, values: Tensor, sizes: Tensor | None = None) -> Sequence[Tensor]:
    axis = node.attributes.get("axis", 0)
    listed = whole(sizes, node, "split")
    each = -(-values.shape[axis] // max(len(node.outputs), 1))
    parts: Sequence[Tensor] = values.split(listed or each, axis)
    return parts


def _slice(node: Node, _version: int, values: Tensor, *inputs: Tensor | None) -> Tensor:
    given = [*inputs, None, None, None, None][:4]
    names = ("starts", "ends", "axes", "steps")
    starts, ends, axes, steps = (whole(one, node, name) for one, name in zip(given, names, strict=True))
    axes = axes or list(range(len(starts)))
    for start, end, axis, step in zip(starts, ends, axes, steps or [1] * len(starts), strict=True):
        if step < 1:
            raise CaseError("unsupported", "takes parts of an array backwards; export it without")
        side = values.shape[axis]
        first, last, _ = slice(start, end).indices(side)
        values = values[(slice(None),) * (axis % values.dim()) + (slice(first, max(last, first), step),)]
    return values


def _gather(node: Node, _version: int, values: Tensor, indices: Tensor) -> Tensor:
    axis = node.attributes.get("axis", 0) % max(values.dim(), 1)
    indices = torch.as_tensor(indices)
    indices = torch.where(indices < 0, indices + values.shape[axis], indices)
    if indices.dim() == 0:
        return values.select(axis, int(indices.item()))
    indices = indices.to(values.device)
    found = values.index_select(axis, indices.reshape(-1))
    return found.reshape(*values.shape[:axis], *indices.shape, *values.shape[axis + 1 :])


def _pad(
    node: Node, _version: int, values: Tensor, pads: Any = None, value: Any = None, axes: Any = None
) -> Tensor:
    listed, mode = whole(pads, node, "pads"), node.attributes.get("mode", "constant")
    dims = whole(axes, node, "axes") or list(range(values.dim()))
    if (
        mode not in PADDINGS
        or len(listed) != 2 * len(dims)
        or max(map(abs, listed), default=0) > MOST_PADDING
    ):
        raise CaseError(
            "unsupported", f"has padding of the kind {mode!r:.40} {listed[:8]}; export it without"
        )
    number = number_of(value, node, "value") or 0.0
    both = [0] * (2 * values.dim())
    for i, dim in enumerate(dims):
        last = values.dim() - 1 - dim % values.dim()
        both[2 * last], both[2 * last + 1] = listed[i], listed[i + len(dims)]
    while both[-2:] == [0, 0]:
        both = both[:-2]
    if mode == "constant":
        return functional.pad(values, both, value=number)
    return functional.pad(values, both, mode=PADDINGS[mode])


def _shape(node: Node, _version: int, values: Tensor) -> Tensor:
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    return torch.tensor(list(values.shape)[start:end])


def _expanded(node: Node, _version: int, values: Tensor, shape: Tensor) -> Tensor:
    """Sides of 1 are repeated, of the values or of the shape."""
    return values.expand(torch.broadcast_shapes(values.shape, whole(shape, node, "shape")))  # type: ignore[no-untyped-call]


def _filled(node: Node, _version: int, shape: Tensor) -> Tensor:
    value = torch.as_tensor(node.attributes.get("value", 0.0)).reshape(-1)[:1]
    return value.expand(whole(shape, node, "shape")).clone()


MOVING: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "Flatten": _flatten, "Reshape": _reshape, "Transpose": _transpose, "Squeeze": _squeeze,
        "Unsqueeze": _unsqueeze, "Concat": _concatenated, "Split": _split, "Slice": _slice,
        "Gather": _gather, "Pad": _pad, "Shape": _shape, "Expand": _expanded, "ConstantOfShape": _filled,
    }
)  # fmt: skip
"""Name of an operator → operation."""

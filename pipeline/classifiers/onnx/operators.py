"""Operators: those of ONNX that classifiers are made of, as operations of torch.

A function takes the node, the version of the operators and the node's inputs. Whole numbers, such as shapes
and indices, are on the CPU. An input that is left out is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.classifiers.onnx.graph import Node
from pipeline.errors import CaseError

Operation: TypeAlias = Callable[..., Tensor | Sequence[Tensor]]
"""operation(node, version, *inputs) → the output, or several."""
MOST_PADDING: Final = 2**14
"""Cells that are added at one end of an axis."""
FROM_INPUTS: Final = 13
"""Version from which axes are an input, and a softmax is along one axis."""
FLOAT_TYPES: Final = (1, 10, 11, 16)
TRUTH: Final = 9


def _each(function: Callable[..., Tensor]) -> Operation:
    """An operation on each number, or on those of several tensors at the same place."""

    def operation(_node: Node, _version: int, *inputs: Tensor | None) -> Tensor:
        return function(*_together([one for one in inputs if one is not None]))

    return operation


def _together(given: Sequence[Any]) -> list[Tensor]:
    """Tensors on one device, that of the images."""
    inputs = [torch.as_tensor(one) for one in given]
    device = next((one.device for one in inputs if one.is_floating_point()), inputs[0].device)
    return [one.to(device) for one in inputs]


def _fold(function: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    return _each(lambda *inputs: reduce(function, inputs))


def _quotient(one: Tensor, other: Tensor) -> Tensor:
    whole = not (one.is_floating_point() or other.is_floating_point())
    return torch.div(one, other, rounding_mode="trunc") if whole else one / other


def _clip(node: Node, _version: int, values: Tensor, low: Any = None, high: Any = None) -> Tensor:
    low, high = (_number(one, node, name) for one, name in ((low, "min"), (high, "max")))
    return values if low is None and high is None else values.clamp(low, high)


def _number(value: Tensor | None, node: Node, name: str) -> float | None:
    found = node.attributes.get(name) if value is None else value.item()
    return None if found is None else float(found)


def _leaky(node: Node, _version: int, values: Tensor) -> Tensor:
    return functional.leaky_relu(values, node.attributes.get("alpha", 0.01))


def _elu(node: Node, _version: int, values: Tensor) -> Tensor:
    return functional.elu(values, float(node.attributes.get("alpha", 1.0)))


def _hard_sigmoid(node: Node, _version: int, values: Tensor) -> Tensor:
    slope, shift = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    found: Tensor = (values * slope + shift).clamp(0, 1)
    return found


def _swish(node: Node, _version: int, values: Tensor) -> Tensor:
    return values * torch.sigmoid(values * node.attributes.get("alpha", 1.0))


def _gelu(node: Node, _version: int, values: Tensor) -> Tensor:
    return functional.gelu(values, approximate=node.attributes.get("approximate", "none"))


def _softmax(node: Node, version: int, values: Tensor) -> Tensor:
    if version >= FROM_INPUTS:
        return values.softmax(node.attributes.get("axis", -1))
    axis = node.attributes.get("axis", 1) % values.dim()
    return values.flatten(axis).softmax(-1).reshape(values.shape)


def _dropout(_node: Node, _version: int, values: Tensor, _share: Any = None, training: Any = None) -> Tensor:
    if training is not None and bool(training.any()):
        raise CaseError("unsupported", "drops values at random; export it in evaluation mode")
    return values


def _cast(node: Node, _version: int, values: Tensor) -> Tensor:
    kind = node.attributes.get("to", 1)
    if kind in FLOAT_TYPES:
        return values.float()
    return values.bool().long() if kind == TRUTH else values.long()


def _batch_norm(
    node: Node, _version: int, values: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    if node.attributes.get("training_mode", 0):
        raise CaseError("unsupported", "has batch norm in training mode; export it in evaluation mode")
    epsilon = node.attributes.get("epsilon", 1e-5)
    return functional.batch_norm(values, mean, variance, scale, bias, training=False, eps=epsilon)


def _instance_norm(node: Node, _version: int, values: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    epsilon = node.attributes.get("epsilon", 1e-5)
    return functional.instance_norm(values, weight=scale, bias=bias, eps=epsilon)


def _layer_norm(node: Node, _version: int, values: Tensor, scale: Tensor, bias: Any = None) -> Tensor:
    axis = node.attributes.get("axis", -1) % values.dim()
    return functional.layer_norm(
        values, values.shape[axis:], scale, bias, node.attributes.get("epsilon", 1e-5)
    )


def _local_norm(node: Node, _version: int, values: Tensor) -> Tensor:
    stated = node.attributes
    return functional.local_response_norm(
        values, stated["size"], stated.get("alpha", 1e-4), stated.get("beta", 0.75), stated.get("bias", 1.0)
    )


def _product(_node: Node, _version: int, one: Tensor, other: Tensor) -> Tensor:
    return torch.matmul(*_together([one, other]))


def _reduced(function: Callable[..., Tensor]) -> Operation:
    def operation(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
        listed = _whole(axes, node, "axes")
        if not listed and node.attributes.get("noop_with_empty_axes", 0):
            return values
        dims = listed or list(range(values.dim()))
        return function(values, dims, bool(node.attributes.get("keepdims", 1)))

    return operation


def _product_over(values: Tensor, dims: list[int], keep: bool) -> Tensor:  # noqa: FBT001  as in torch
    for dim in sorted((dim % values.dim() for dim in dims), reverse=True):
        values = values.prod(dim, keep)
    return values


def _global(function: Callable[..., Tensor]) -> Operation:
    return lambda _node, _version, values: function(values, list(range(2, values.dim())), keepdim=True)


def _whole(values: Tensor | None, node: Node, name: str) -> list[int]:
    """Whole numbers from an input, or from an attribute of older versions."""
    if values is None:
        return [int(one) for one in node.attributes.get(name) or ()]
    return [int(one) for one in values.reshape(-1).tolist()]


def _flatten(node: Node, _version: int, values: Tensor) -> Tensor:
    axis = node.attributes.get("axis", 1)
    axis = axis + values.dim() if axis < 0 else axis
    return values.flatten(1) if axis == 1 else values.reshape(prod(values.shape[:axis]), -1)


def _reshape(node: Node, _version: int, values: Tensor, shape: Tensor) -> Tensor:
    sides = _whole(shape, node, "shape")
    if not node.attributes.get("allowzero", 0):
        sides = [values.shape[i] if side == 0 else side for i, side in enumerate(sides)]
    return values.reshape(sides)


def _transpose(node: Node, _version: int, values: Tensor) -> Tensor:
    return values.permute(node.attributes.get("perm") or list(range(values.dim()))[::-1])


def _squeeze(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = _whole(axes, node, "axes")
    return values.squeeze(tuple(dims)) if dims else values.squeeze()


def _unsqueeze(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = _whole(axes, node, "axes")
    for dim in sorted(dim % (values.dim() + len(dims)) for dim in dims):
        values = values.unsqueeze(dim)
    return values


def _concatenated(node: Node, _version: int, *parts: Tensor) -> Tensor:
    return torch.cat(_together(parts), node.attributes["axis"])


def _split(node: Node, _version: int, values: Tensor, sizes: Tensor | None = None) -> Sequence[Tensor]:
    axis = node.attributes.get("axis", 0)
    listed = _whole(sizes, node, "split")
    each = -(-values.shape[axis] // max(len(node.outputs), 1))
    parts: Sequence[Tensor] = values.split(listed or each, axis)
    return parts


def _slice(node: Node, _version: int, values: Tensor, *inputs: Tensor | None) -> Tensor:
    given = [*inputs, None, None, None, None][:4]
    names = ("starts", "ends", "axes", "steps")
    starts, ends, axes, steps = (_whole(one, node, name) for one, name in zip(given, names, strict=True))
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
    indices = torch.as_tensor(indices).to(values.device)
    indices = torch.where(indices < 0, indices + values.shape[axis], indices)
    if indices.dim() == 0:
        return values.select(axis, int(indices.item()))
    found = values.index_select(axis, indices.reshape(-1))
    return found.reshape(*values.shape[:axis], *indices.shape, *values.shape[axis + 1 :])


def _pad(
    node: Node, _version: int, values: Tensor, pads: Any = None, value: Any = None, axes: Any = None
) -> Tensor:
    listed, mode = _whole(pads, node, "pads"), node.attributes.get("mode", "constant")
    dims = _whole(axes, node, "axes") or list(range(values.dim()))
    if (
        mode not in PADDINGS
        or len(listed) != 2 * len(dims)
        or max(map(abs, listed), default=0) > MOST_PADDING
    ):
        raise CaseError(
            "unsupported", f"has padding of the kind {mode!r:.40} {listed[:8]}; export it without"
        )
    number = _number(value, node, "value") or 0.0
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


PADDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
)
OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "Identity": _each(lambda values: values), "Dropout": _dropout, "Cast": _cast,
        "Relu": _each(torch.relu), "Sigmoid": _each(torch.sigmoid), "Tanh": _each(torch.tanh),
        "LeakyRelu": _leaky, "Elu": _elu, "Selu": _each(functional.selu), "Gelu": _gelu,
        "HardSigmoid": _hard_sigmoid, "HardSwish": _each(functional.hardswish),
        "Mish": _each(functional.mish), "Softplus": _each(functional.softplus),
        "Softsign": _each(functional.softsign), "Swish": _swish,
        "PRelu": _each(lambda values, slope: torch.where(values < 0, values * slope, values)),
        "Clip": _clip, "Softmax": _softmax, "Erf": _each(torch.erf), "Exp": _each(torch.exp),
        "Log": _each(torch.log), "Sqrt": _each(torch.sqrt), "Abs": _each(torch.abs), "Neg": _each(torch.neg),
        "Reciprocal": _each(torch.reciprocal), "Floor": _each(torch.floor), "Ceil": _each(torch.ceil),
        "Add": _each(torch.add), "Sub": _each(torch.sub), "Mul": _each(torch.mul), "Div": _each(_quotient),
        "Pow": _each(torch.pow), "Min": _fold(torch.minimum), "Max": _fold(torch.maximum),
        "Sum": _fold(torch.add), "MatMul": _product,
        "BatchNormalization": _batch_norm, "InstanceNormalization": _instance_norm,
        "LayerNormalization": _layer_norm, "LRN": _local_norm,
        "GlobalAveragePool": _global(torch.mean), "GlobalMaxPool": _global(torch.amax),
        "ReduceMean": _reduced(torch.mean), "ReduceSum": _reduced(torch.sum),
        "ReduceMax": _reduced(torch.amax), "ReduceMin": _reduced(torch.amin),
        "ReduceProd": _reduced(_product_over),
        "ReduceL2": _reduced(lambda values, dims, keep: values.square().sum(dims, keep).sqrt()),
        "Flatten": _flatten, "Reshape": _reshape, "Transpose": _transpose, "Squeeze": _squeeze,
        "Unsqueeze": _unsqueeze, "Concat": _concatenated, "Split": _split, "Slice": _slice,
        "Gather": _gather, "Pad": _pad, "Shape": _shape,
    }
)  # fmt: skip
"""Name of an operator → operation; those with weights of their own are built in `network`."""

"""Operators: those of ONNX that classifiers are made of, as operations of torch.

A function takes the node, the version of the operators and the node's inputs. Whole numbers, such as shapes
and indices, are on the CPU. An input that is left out is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.classifiers.onnx.graph import Node
from pipeline.classifiers.onnx.inputs import Operation, number_of, together, whole
from pipeline.classifiers.onnx.moving import MOVING
from pipeline.classifiers.onnx.resizing import resized, upsampled
from pipeline.errors import CaseError

FROM_INPUTS: Final = 13
"""Version from which axes are an input, and a softmax is along one axis."""
FLOAT_TYPES: Final = (1, 10, 11, 16)
TRUTH: Final = 9


def _each(function: Callable[..., Tensor]) -> Operation:
    """An operation on each number, or on those of several tensors at the same place."""

    def operation(_node: Node, _version: int, *inputs: Tensor | None) -> Tensor:
        return function(*together([one for one in inputs if one is not None]))

    return operation


def _truth(function: Callable[..., Tensor]) -> Operation:
    """A comparison, as 0 or 1."""
    return _each(lambda *inputs: function(*inputs).long())


def _fold(function: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    return _each(lambda *inputs: reduce(function, inputs))


def _quotient(one: Tensor, other: Tensor) -> Tensor:
    whole = not (one.is_floating_point() or other.is_floating_point())
    return torch.div(one, other, rounding_mode="trunc") if whole else one / other


def _clip(node: Node, _version: int, values: Tensor, low: Any = None, high: Any = None) -> Tensor:
    low, high = (number_of(one, node, name) for one, name in ((low, "min"), (high, "max")))
    return values if low is None and high is None else values.clamp(low, high)


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


def _dequantised(
    node: Node, _version: int, values: Tensor, scale: Tensor, zero: Tensor | None = None
) -> Tensor:
    """Weights that the file holds as whole numbers, one scale for all or one per index of an axis."""
    axis = node.attributes.get("axis", 1) % max(values.dim(), 1)
    if node.attributes.get("block_size", 0) or scale.ndim > 1:
        raise CaseError("unsupported", "has weights that are quantised in blocks; export it in float32")
    sides = [-1 if scale.ndim and dim == axis else 1 for dim in range(values.dim())]
    whole_ones, scale = together([values, scale])
    shift = 0 if zero is None else torch.as_tensor(zero).to(whole_ones.device).reshape(sides)
    return (whole_ones - shift) * scale.reshape(sides)


def _product(_node: Node, _version: int, one: Tensor, other: Tensor) -> Tensor:
    return torch.matmul(*together([one, other]))


def _reduced(function: Callable[..., Tensor]) -> Operation:
    def operation(node: Node, _version: int, values: Tensor, axes: Tensor | None = None) -> Tensor:
        listed = whole(axes, node, "axes")
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
        "Equal": _truth(torch.eq), "Greater": _truth(torch.gt), "Less": _truth(torch.lt),
        "GreaterOrEqual": _truth(torch.ge), "LessOrEqual": _truth(torch.le),
        "And": _truth(torch.logical_and), "Or": _truth(torch.logical_or), "Not": _truth(torch.logical_not),
        "Where": _each(lambda truth, one, other: torch.where(truth.bool(), one, other)),
        "DequantizeLinear": _dequantised, "Resize": resized, "Upsample": upsampled,
        **MOVING,
    }
)  # fmt: skip
"""Name of an operator → operation; those with weights of their own are built in `network`."""

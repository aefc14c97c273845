"""Operations of LRP: assign a rule to each operation of a network.

- Convolutions: the composite's rule. Linear layers: epsilon.
- Batch norm directly after a convolution is merged into it (Guillemot et al., 2020, arXiv 2002.11018), which
  also handles a negative scale. Elsewhere, as in DenseNet where it precedes ReLU and convolution, it is an
  affine map in eval mode: its relevance is divided between signal and shift by the |z| rule (Hui and Binder,
  2019), or by the epsilon rule in the composite "epsilon", which thus is LRP-epsilon for all layers.
- Sums, residual additions, average and adaptive pooling, means and constant factors: in proportion to the
  terms, which is the epsilon rule with ε = 0.
- Activation functions with f(0) = 0: relevance passes unchanged, element by element.
- Gates (a sigmoid times a signal, as in squeeze and excitation): all relevance goes to the signal (Arras et
  al., 2017, arXiv 1706.07206).
- Operations that only move values (reshaping, concatenation, padding, maximum pooling) keep their gradient,
  which carries relevance to the origin of each value; for a maximum pool, to the maximum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.attribution.lrp.rules import Composite, WeightedOperation, as_normaliser
from pipeline.attribution.lrp.shares import ProportionalRule, Rule, gate, pass_through

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})
TERMS = frozenset({"add", "sub", "__rsub__", "mean", "sum", "interpolate"}) | {
    f"{kind}_pool{axes}d" for kind in ("avg", "adaptive_avg") for axes in (1, 2, 3)
}
"""Operations that are affine in all arguments that depend on the image together."""
FACTORS = frozenset({"mul", "div"})
"""Products, which have a rule if only one factor depends on the image."""
ACTIVATIONS = frozenset({"relu", "relu6", "hardtanh", "clamp", "clamp_min", "leaky_relu", "prelu", "elu"}) | {
    *("selu", "celu", "gelu", "silu", "mish", "hardswish", "tanh")
}
"""Activation functions with f(0) = 0."""
GATES = frozenset({"sigmoid", "hardsigmoid", "softmax"})
"""Operations whose output may only be used as a factor of a signal."""
MOVES = re.compile(
    r"(Accumulate|Copy|ToCopy|Clone|Alias|View|UnsafeView|ReshapeAlias|Expand|Permute|Transpose|T|Squeeze"
    r"|Unsqueeze|Select|Slice|Index|Split|SplitWithSizes|Unbind|Cat|Stack|Flip|Roll|ChannelShuffle"
    r"|PixelShuffle|Max|Amax|ConstantPadNd|ReflectionPad[123]D|ReplicationPad[123]D|MaxPool[23]DWithIndices"
    r"|AdaptiveMaxPool[23]D)(Backwards?\d*|Grad|Slices)"
)
"""Names of autograd nodes whose gradient moves relevance unchanged."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of an operation, as a function of the arguments that depend on the image."""

    name: str
    """Name in torch, without the trailing underscore of in-place operations."""
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    positions: tuple[int, ...]
    """Indices of the `args` that depend on the image."""

    def __call__(self, *tensors: Tensor) -> Any:
        """Output of the operation for new values of these arguments."""
        args = list(self.args)
        for position, tensor in zip(self.positions, tensors, strict=True):
            args[position] = tensor
        return self.function(*args, **self.kwargs)


def rule_of(operation: Operation, composite: Composite) -> Rule | None:
    """The rule of an operation other than batch norm; None if it has none."""
    name = operation.name
    if name in TERMS or (name in FACTORS and len(operation.positions) == 1):
        return ProportionalRule(normaliser=as_normaliser(operation))
    if operation.positions != (0,):
        return None
    if name in CONVOLUTIONS:
        return composite.convolution(_weighted(operation.function, *operation.args, **operation.kwargs))
    if name == "linear":
        return composite.linear(_weighted(operation.function, *operation.args, **operation.kwargs))
    return pass_through if name in ACTIVATIONS else gate if name in GATES else None


def out_of_place(operation: Operation) -> Operation | None:
    """The out-of-place version of an in-place operation; None if the operation is not in-place."""
    name = operation.name
    if name.endswith("_") and not name.endswith("__"):
        function = getattr(Tensor, name[:-1], None) or getattr(functional, name[:-1], None)
        return function and replace(operation, name=name[:-1], function=function)
    if operation.kwargs.get("inplace"):  # torch passes it by name, also if the caller did not
        return replace(operation, kwargs={**operation.kwargs, "inplace": False})
    return None


def gates_as_constants(operation: Operation) -> Operation:
    """A product of a signal and a gate with the gate as a constant; any other operation unchanged."""
    gates = [position for position in operation.positions if is_gate(operation.args[position].grad_fn)]
    if operation.name not in FACTORS or len(gates) != 1:
        return operation
    args = tuple(value.detach() if n in gates else value for n, value in enumerate(operation.args))
    return replace(operation, args=args, positions=tuple(n for n in operation.positions if n not in gates))


def is_gate(node: Any) -> bool:
    """Whether a node of the autograd graph is a gate, or only moves the values of one."""
    while node is not None and only_moves_values(node) and len(node.next_functions) == 1:
        node = node.next_functions[0][0]
    return getattr(node, "rule", None) is gate


def only_moves_values(node: Any) -> bool:
    """Whether a node of the autograd graph only moves values, for example reshapes them."""
    return MOVES.fullmatch(node.name().rpartition("::")[2]) is not None


def scale_and_shift(
    _activations: Tensor,
    mean: Tensor | None,
    variance: Tensor | None,
    *,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    eps: float,
    **_others: Any,
) -> tuple[Tensor, Tensor] | None:
    """Scale and shift per channel of a batch norm with torch's arguments; None without fixed statistics."""
    if training or mean is None or variance is None:
        return None
    scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    return scale, (0 if bias is None else bias) - mean * scale


def _weighted(
    function: Callable[..., Tensor],
    _activations: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *rest: Any,
    **options: Any,
) -> WeightedOperation:
    return WeightedOperation(lambda a, w, b: function(a, w, b, *rest, **options), weight, bias)

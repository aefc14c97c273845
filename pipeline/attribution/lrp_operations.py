"""Operations of LRP: which rule each operation of a network gets, and what it is a rule of.

- Convolutions: the composite's rule. Linear layers: epsilon.
- Batch norm directly behind a convolution is merged into it (Guillemot et al., 2020, arXiv 2002.11018),
  which also sees a negative scale. Elsewhere, as in DenseNet where it precedes ReLU and convolution, it is
  the affine map that it is in eval mode, shared between signal and shift by the |z| rule (Hui and Binder,
  2019); under the composite "epsilon" by the epsilon rule, so that this composite is LRP-epsilon
  throughout.
- Sums, residual additions, average and adaptive pooling, means, constant factors: in proportion to their
  terms, which is the epsilon rule with ε = 0.
- Activation functions with f(0) = 0: passed, place by place.
- Gates (a sigmoid times a signal, as in squeeze and excitation): the signal takes all (Arras et al., 2017,
  arXiv 1706.07206).
- What only moves values about (reshaping, concatenation, padding, maximum pooling) keeps its gradient,
  which carries relevance to where the values came from; of a maximum pool, to the winner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.attribution.lrp_rules import Composite, Weighted, plain
from pipeline.attribution.lrp_shares import Rule, Shared, gate, passed

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})
TERMS = frozenset({"add", "sub", "__rsub__", "mean", "sum", "interpolate"}) | {
    f"{kind}_pool{axes}d" for kind in ("avg", "adaptive_avg") for axes in (1, 2, 3)
}
"""Affine in all that depends on the image together."""
FACTORS = frozenset({"mul", "div"})
ACTIVATIONS = frozenset({"relu", "relu6", "hardtanh", "clamp", "clamp_min", "leaky_relu", "prelu", "elu"}) | {
    *("selu", "celu", "gelu", "silu", "mish", "hardswish", "tanh")
}
GATES = frozenset({"sigmoid", "hardsigmoid", "softmax"})
MOVES = re.compile(
    r"(Accumulate|Copy|ToCopy|Clone|Alias|View|UnsafeView|ReshapeAlias|Expand|Permute|Transpose|T|Squeeze"
    r"|Unsqueeze|Select|Slice|Index|Split|SplitWithSizes|Unbind|Cat|Stack|Flip|Roll|ChannelShuffle"
    r"|PixelShuffle|Max|Amax|ConstantPadNd|ReflectionPad[123]D|ReplicationPad[123]D|MaxPool[23]DWithIndices"
    r"|AdaptiveMaxPool[23]D)(Backwards?\d*|Grad|Slices)"
)
"""Nodes of autograd's graph whose gradient moves relevance as it is."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A call of an operation, as a function of those of its arguments that depend on the image."""

    name: str
    """As torch calls it, without the underscore of those that overwrite their argument."""
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    places: tuple[int, ...]
    """Which of `args` depend on the image."""

    def __call__(self, *tensors: Tensor) -> Any:
        """The operation's output."""
        args = list(self.args)
        for place, tensor in zip(self.places, tensors, strict=True):
            args[place] = tensor
        return self.function(*args, **self.kwargs)


def rule_of(operation: Operation, composite: Composite) -> Rule | None:
    """The rule of an operation, batch norm excepted; None where it has none."""
    name = operation.name
    if name in TERMS or (name in FACTORS and len(operation.places) == 1):
        return Shared(normaliser=plain(operation))
    if operation.places != (0,):
        return None
    if name in CONVOLUTIONS:
        return composite.convolution(_weighted(operation.function, *operation.args, **operation.kwargs))
    if name == "linear":
        return composite.linear(_weighted(operation.function, *operation.args, **operation.kwargs))
    return passed if name in ACTIVATIONS else gate if name in GATES else None


def out_of_place(operation: Operation) -> Operation | None:
    """What an operation that overwrites its argument does, without overwriting it; None where it does not."""
    name = operation.name
    if name.endswith("_") and not name.endswith("__"):
        function = getattr(Tensor, name[:-1], None) or getattr(functional, name[:-1], None)
        return function and replace(operation, name=name[:-1], function=function)
    if operation.kwargs.get("inplace"):  # torch hands it on by name, however it was given
        return replace(operation, kwargs={**operation.kwargs, "inplace": False})
    return None


def signal_alone(operation: Operation) -> Operation:
    """A product of a signal and a gate as the signal times a constant; any other operation as it is."""
    gates = [place for place in operation.places if is_gate(operation.args[place].grad_fn)]
    if operation.name not in FACTORS or len(gates) != 1:
        return operation
    args = tuple(value.detach() if place in gates else value for place, value in enumerate(operation.args))
    return replace(operation, args=args, places=tuple(p for p in operation.places if p not in gates))


def is_gate(node: Any) -> bool:
    """Whether a gate made a tensor, given its node in the graph; seen through what only moves values."""
    while node is not None and moves(node) and len(node.next_functions) == 1:
        node = node.next_functions[0][0]
    return getattr(node, "rule", None) is gate


def moves(node: Any) -> bool:
    """Whether a node of the graph only moves values about."""
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
    """Batch norm, given torch's arguments, as an affine map of channels; None without fixed statistics."""
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
) -> Weighted:
    return Weighted(lambda a, w, b: function(a, w, b, *rest, **options), weight, bias)

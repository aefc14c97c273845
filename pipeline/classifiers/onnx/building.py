"""Building: the operators of a graph as modules of torch, one per node and named after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.classifiers.onnx.attributes import refuse_others
from pipeline.classifiers.onnx.graph import Constant, Graph, Node
from pipeline.classifiers.onnx.operators import OPERATIONS
from pipeline.classifiers.onnx.rewriting import MATRIX, needed_nodes, stated_constant
from pipeline.classifiers.onnx.windows import build_convolution, build_pool
from pipeline.errors import CaseError

MOST_PAIRS: Final = 2**24
"""Numbers that an operator may make of those that do not depend on the image, such as shapes."""
KEEPING: Final = ("Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze")
"""Operators whose result has the size of their first input."""
WHOLE: Final = (
    *KEEPING, "Add", "Sub", "Mul", "Div", "Min", "Max", "Gather", "Slice", "Concat", "Split", "ReduceProd",
    "ReduceSum", "Shape", "Neg", "Abs", "Floor", "Ceil", "Sqrt", "Where", "Equal", "Greater", "Less",
    "GreaterOrEqual", "LessOrEqual", "And", "Or", "Not",
)  # fmt: skip
"""Operators that compute shapes."""
BY_SHAPE: Final = ("Expand", "ConstantOfShape")
"""Operators whose last input is the shape of their result."""
FOLDED: Final = (*KEEPING, *WHOLE, *BY_SHAPE, "DequantizeLinear", "Reciprocal", "Pow")
"""Operators that are computed once where they depend on weights alone."""
BY_VALUE: Final = ("Clip", "Pad", "Dropout", "Resize", "Upsample")
"""Operators whose constants are settings, also those that are not whole."""
VALUE: Final = " by value"
RESERVED: Final = (*dir(nn.ModuleDict), "")
"""Names that an operator cannot have."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operator in the order of the forward pass."""

    module: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    done: tuple[str, ...]
    """Values that no later operator needs."""


class Operator(nn.Module):
    """An operator without weights of its own."""

    def __init__(self, node: Node, version: int) -> None:
        super().__init__()
        self.node, self.version = node, version

    def forward(self, *inputs: Tensor | Constant | None) -> Tensor | Sequence[Tensor]:
        """The operator's output, or several."""
        first, *rest = inputs
        if isinstance(first, np.ndarray):
            first = torch.from_numpy(first)
        return OPERATIONS[self.node.operator](self.node, self.version, first, *rest)


class Building:
    """Builds one step per operator that an output needs; what depends on constants alone is computed."""

    def __init__(self, graph: Graph, batch: int | None) -> None:
        """`batch`: number of images that the graph is for, None for any."""
        self.modules: dict[str, nn.Module] = {}
        """Name → operator."""
        self.numbers: dict[str, Constant] = {}
        """Whole numbers and settings, which stay on the CPU."""
        self.weights: dict[str, Tensor] = {}
        """Other constants, which go where the images are."""
        self._graph, self._batch = graph, batch
        self._constants: dict[str, Constant] = dict(graph.constants)
        self._known = {"", *graph.constants, *(port.name for port in graph.inputs)}

    def steps(self, output: str) -> tuple[Step, ...]:
        """The steps to an output, in their order. Raises CaseError."""
        steps = []
        for node in needed_nodes(self._graph.nodes, self._graph.constants, output):
            self._check_order(node)
            refuse_others(node)
            made = self._constant(node)
            if made is None:
                steps.append(self._step(node))
            else:
                self._constants.update(made)
        if output not in self._known or output in self._constants:
            raise CaseError("damaged", "has an output that does not depend on the image; export it again")
        return _with_ends(steps, output)

    def _check_order(self, node: Node) -> None:
        unknown = [name for name in node.inputs if name not in self._known]
        again = [name for name in node.outputs if name and name in self._known]
        if unknown or again or not node.outputs:
            raise CaseError(
                "damaged",
                f"has an operator ({node.operator:.40}) that reads what is not there, or makes what is there "
                "already; export it again",
            )
        self._known.update(node.outputs)

    def _constant(self, node: Node) -> dict[str, Constant] | None:
        """The outputs of a node that depends on constants alone; None if they are not computed here."""
        if node.operator == "Constant":
            return {node.outputs[0]: stated_constant(node)}
        inputs = [self._constants.get(name) for name in node.inputs if name]
        known = [one for one in inputs if one is not None]
        if len(known) < len(inputs) or not known or node.operator not in OPERATIONS:
            return None
        operator = Operator(node, self._graph.version)
        given = [self._constants.get(name) for name in node.inputs]
        if all(one.dtype == np.int64 for one in known):
            refuse_growth(node.operator, known)
        elif node.operator not in FOLDED or not _stays_small(operator, given):
            return None
        several = _several(operator(*given))
        return {name: _as_constant(one) for name, one in zip(node.outputs, several, strict=False)}

    def _step(self, node: Node) -> Step:
        if node.operator == "Reshape":
            node = self._for_any_batch(node)
        module, inputs = self._module(node)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", node.name)[:100]
        name = f"{name}_{len(self.modules)}" if name in self.modules or name in RESERVED else name
        self.modules[name] = module
        given = tuple(self._kept(one, by_value=node.operator in BY_VALUE) for one in inputs)
        return Step(name, given, node.outputs, ())

    def _kept(self, name: str, *, by_value: bool) -> str:
        """The name under which the forward pass has an input; a constant is kept for it."""
        value = self._constants.get(name)
        if value is None:
            return name
        if by_value:
            self.numbers[f"{name}{VALUE}"] = value
            return f"{name}{VALUE}"
        if value.dtype == np.int64:
            self.numbers[name] = value
        else:
            self.weights[name] = torch.from_numpy(value)
        return name

    def _for_any_batch(self, node: Node) -> Node:
        """A Reshape, in whose shape the number of images that the file fixes is that of the batch."""
        values, name = (*node.inputs, "", "")[:2]
        sides = self._constants.get(name)
        if sides is None or self._batch is None or not sides.size or sides.flat[0] != self._batch:
            return node
        any_batch = f"{name} of any batch"
        self._constants[any_batch] = np.concatenate([np.zeros(1, np.int64), sides.reshape(-1)[1:]])
        return replace(node, inputs=(values, any_batch), attributes={})

    def _module(self, node: Node) -> tuple[nn.Module, tuple[str, ...]]:
        """The module of a node, and the inputs that it reads: weights are its own."""
        if node.operator in {"Conv", "ConvTranspose"}:
            return build_convolution(node, self._weight(node, 1), self._bias(node, 2)), node.inputs[:1]
        if node.operator in {"MaxPool", "AveragePool"}:
            return build_pool(node), node.inputs[:1]
        if node.operator == "Gemm" or (node.operator == "MatMul" and self._is_matrix(node)):
            return self._linear(node), node.inputs[:1]
        if node.operator not in OPERATIONS:
            raise CaseError(
                "unsupported",
                f"has the operator {node.operator:.40}, which is not among those of classifiers that are "
                "computed here; compute maps in its own framework and score them with `heatproof score`",
            )
        return Operator(node, self._graph.version), node.inputs

    def _is_matrix(self, node: Node) -> bool:
        weight = self._constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
        return weight is not None and weight.ndim == MATRIX and weight.dtype == np.float32

    def _linear(self, node: Node) -> nn.Module:
        stated = node.attributes
        if stated.get("transA", 0):
            raise CaseError("unsupported", "has a linear layer of a transposed input; export it without")
        weight, bias = self._weight(node, 1), self._bias(node, 2)
        if weight.dim() != MATRIX:
            raise _misfit(weight)
        weight = (weight if stated.get("transB", 0) else weight.T) * stated.get("alpha", 1.0)
        if bias is not None and bias.numel() not in {1, len(weight)}:
            raise _misfit(bias)
        if bias is not None:
            bias = bias.reshape(-1).expand(len(weight)) * stated.get("beta", 1.0)
        return Linear(weight.contiguous(), bias)

    def _bias(self, node: Node, place: int) -> Tensor | None:
        given = len(node.inputs) > place and node.inputs[place]
        return self._weight(node, place) if given else None

    def _weight(self, node: Node, place: int) -> Tensor:
        weight = self._constants.get(node.inputs[place]) if len(node.inputs) > place else None
        if weight is None or weight.dtype != np.float32:
            raise CaseError(
                "unsupported",
                f"computes the weights of an operator ({node.operator:.40}), wanted constants; export it in "
                "evaluation mode, with its constants folded",
            )
        return torch.from_numpy(weight)


class Linear(nn.Linear):
    """A linear layer with its weights, which are those of the file."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        outputs, inputs = weight.shape
        super().__init__(inputs, outputs, bias=bias is not None, device="meta")
        self.weight = nn.Parameter(weight, requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias, requires_grad=False)


def _as_constant(value: Tensor) -> Constant:
    array = value.contiguous().numpy()
    return array.astype(np.float32) if value.is_floating_point() else array.astype(np.int64)


def _several(made: Any) -> Sequence[Tensor]:
    """The outputs of an operator, which may be one."""
    return made if isinstance(made, list | tuple) else [made]


def _stays_small(operator: Operator, inputs: Sequence[Constant | None]) -> bool:
    """Whether what an operator makes of weights is no larger than these, or small; no memory is taken."""
    without = [
        torch.empty(one.shape, device="meta") if one is not None and one.dtype == np.float32 else one
        for one in inputs
    ]
    made = sum(one.numel() for one in _several(operator(*without)))
    return made <= max(MOST_PAIRS, sum(one.size for one in inputs if one is not None))


def refuse_growth(operator: str, inputs: Sequence[Any]) -> None:
    """Raise CaseError for an operator on numbers that do not depend on the image if it may make too many."""
    sizes = [one.size if isinstance(one, np.ndarray) else one.numel() for one in inputs if one is not None]
    if operator in KEEPING:
        return
    if operator in BY_SHAPE:
        sizes = [abs(int(side)) for side in inputs[-1].reshape(-1).tolist()]
    if operator not in (*WHOLE, *BY_SHAPE) or prod(max(size, 1) for size in sizes) > MOST_PAIRS:
        raise CaseError(
            "unsupported",
            f"has the operator {operator:.40} on {sum(sizes):,} numbers that do not depend on the image; "
            "export it again with its constants folded",
        )


def _misfit(weight: Tensor) -> CaseError:
    return CaseError(
        "damaged", f"has a linear layer whose weights {tuple(weight.shape)} do not fit it; export it again"
    )


def _with_ends(steps: Sequence[Step], output: str) -> tuple[Step, ...]:
    """The steps, each with the values that no later one needs."""
    later, found = {output}, []
    for step in reversed(steps):
        done = tuple({*step.inputs, *step.outputs} - later - {""})
        later.update(step.inputs)
        found.append(replace(step, done=done))
    return tuple(found[::-1])

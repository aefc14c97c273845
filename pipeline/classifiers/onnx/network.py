"""Network: a graph of ONNX as a module of torch, with one submodule per operator, named after its node."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.classifiers.onnx.attributes import refuse_others
from pipeline.classifiers.onnx.graph import Constant, Graph, Node
from pipeline.classifiers.onnx.operators import OPERATIONS
from pipeline.classifiers.onnx.windows import build_convolution, build_pool
from pipeline.errors import CaseError

MOST_NODES: Final = 20_000
"""DenseNet-264 has some 1,000 operators."""
MOST_PAIRS: Final = 2**24
"""Numbers that an operator may make of those that do not depend on the image, such as shapes."""
KEEPING: Final = ("Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze")
"""Operators whose result has the size of their first input."""
WHOLE: Final = (
    *KEEPING, "Add", "Sub", "Mul", "Div", "Min", "Max", "Gather", "Slice", "Concat", "Split", "ReduceProd",
    "ReduceSum", "Shape", "Neg", "Abs", "Floor", "Ceil", "Sqrt",
)  # fmt: skip
"""Operators that compute shapes."""
BY_VALUE: Final = ("Clip", "Pad", "Dropout")
"""Operators whose constants are settings, also those that are not whole."""
VALUE: Final = " by value"
MAKES: Final = ("value", "value_float", "value_int", "value_floats", "value_ints")
"""Attributes of the operator Constant."""
MATRIX: Final = 2


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


class OnnxNetwork(nn.Module):
    """(batch, channels, rows, columns) → the value of one output of the graph."""

    def __init__(
        self, graph: Graph, *, output: str, channels_last: bool = False, batch: int | None = None
    ) -> None:
        """`channels_last`: the graph's own input is (batch, rows, columns, channels).

        `batch`: number of images that the graph is for, None for any. Raises CaseError.
        """
        super().__init__()
        (self._input,) = (port.name for port in graph.inputs)
        self._output, self._channels_last = output, channels_last
        self._numbers: dict[str, Constant] = {}
        self._buffer_of: dict[str, str] = {}
        self.operators = nn.ModuleDict()
        steps = _Building(graph, self, batch).steps(output)
        self._steps = _with_ends(steps, output)

    def forward(self, images: Tensor) -> Tensor:
        """The output for a batch (batch, channels, rows, columns)."""
        constants = {name: getattr(self, buffer) for name, buffer in self._buffer_of.items()}
        values: dict[str, Any] = {
            **self._numbers,
            **constants,
            self._input: images.permute(0, 2, 3, 1) if self._channels_last else images,
            "": None,
        }
        for step in self._steps:
            made = self.operators[step.module](*[values[name] for name in step.inputs])
            several = made if isinstance(made, list | tuple) else [made]
            values.update(zip(step.outputs, several, strict=False))
            for name in step.done:
                values.pop(name, None)
        found: Tensor = values[self._output]
        return found

    def keep(self, name: str, value: Constant, *, by_value: bool) -> None:
        """Keep a constant: whole numbers and limits on the CPU, others with the network's weights."""
        if by_value:
            self._numbers[f"{name}{VALUE}"] = value
        elif value.dtype == np.int64:
            self._numbers[name] = value
        elif name not in self._buffer_of:
            self._buffer_of[name] = f"constant_{len(self._buffer_of)}"
            self.register_buffer(self._buffer_of[name], torch.from_numpy(value))


def refuse_growth(operator: str, inputs: Sequence[Any]) -> None:
    """Raise CaseError for an operator on numbers that do not depend on the image if it may make too many."""
    sizes = [one.size if isinstance(one, np.ndarray) else one.numel() for one in inputs if one is not None]
    if operator in KEEPING:
        return
    if operator not in WHOLE or prod(max(size, 1) for size in sizes) > MOST_PAIRS:
        raise CaseError(
            "unsupported",
            f"has the operator {operator:.40} on {sum(sizes):,} numbers that do not depend on the image; "
            "export it again with its constants folded",
        )


class _Building:
    """Builds one step per operator that the output needs; what depends on constants alone is computed."""

    def __init__(self, graph: Graph, network: OnnxNetwork, batch: int | None) -> None:
        self._graph, self._network, self._batch = graph, network, batch
        self._constants: dict[str, Constant] = dict(graph.constants)
        self._known = {"", *graph.constants, *(port.name for port in graph.inputs)}

    def steps(self, output: str) -> list[Step]:
        nodes = _needed(self._graph.nodes, output)
        if len(nodes) > MOST_NODES:
            raise CaseError("too_large", f"has {len(nodes):,} operators, wanted {MOST_NODES:,} or fewer")
        steps = []
        for node in _with_biases(nodes, self._graph.constants, output):
            self._check_order(node)
            refuse_others(node)
            made = self._constant(node)
            if made is None:
                steps.append(self._step(node))
            else:
                self._constants.update(made)
        if output not in self._known or output in self._constants:
            raise CaseError("damaged", "has an output that does not depend on the image; export it again")
        return steps

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
            return {node.outputs[0]: _stated(node)}
        inputs = [self._constants.get(name) for name in node.inputs if name]
        known = [one for one in inputs if one is not None]
        whole = all(one.dtype == np.int64 for one in known)
        if len(known) < len(inputs) or not known or not (whole or node.operator in KEEPING):
            return None
        if node.operator not in OPERATIONS:
            return None
        refuse_growth(node.operator, known)
        operator = Operator(node, self._graph.version)
        made = operator(*[self._constants.get(name) for name in node.inputs])
        several = made if isinstance(made, list | tuple) else [made]
        return {
            name: one.contiguous().numpy().astype(np.float32 if one.is_floating_point() else np.int64)
            for name, one in zip(node.outputs, several, strict=False)
        }

    def _step(self, node: Node) -> Step:
        if node.operator == "Reshape":
            node = self._for_any_batch(node)
        module, inputs = self._module(node)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", node.name)[:100] or node.operator
        taken = name in self._network.operators or hasattr(self._network.operators, name)
        name = f"{name}_{len(self._network.operators)}" if taken else name
        self._network.operators[name] = module
        by_value = node.operator in BY_VALUE
        for given in inputs:
            if given in self._constants:
                self._network.keep(given, self._constants[given], by_value=by_value)
        named = [f"{given}{VALUE}" if by_value and given in self._constants else given for given in inputs]
        return Step(name, tuple(named), node.outputs, ())

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
        if node.operator == "Conv":
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
                "float32, not quantised",
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


def _misfit(weight: Tensor) -> CaseError:
    return CaseError(
        "damaged", f"has a linear layer whose weights {tuple(weight.shape)} do not fit it; export it again"
    )


def _stated(node: Node) -> Constant:
    value = next((node.attributes[name] for name in MAKES if name in node.attributes), None)
    if value is None:
        raise CaseError("unsupported", "has a constant that is a text or sparse; export it again")
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)


def _needed(nodes: Sequence[Node], output: str) -> list[Node]:
    """The nodes that the output depends on, in their order."""
    wanted, found = {output}, []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]


def _with_biases(nodes: Sequence[Node], constants: Mapping[str, Constant], output: str) -> list[Node]:
    """The nodes with each product by a matrix and the sum with a constant after it as one linear layer."""
    uses = Counter(name for node in nodes for name in node.inputs)
    products = {
        node.outputs[0]: node
        for node in nodes
        if node.operator == "MatMul" and len(node.inputs) == MATRIX and len(node.outputs) == 1
    }
    found: list[Node] = []
    for node in nodes:
        joined = _joined(node, products, constants)
        if joined and uses[joined.outputs[0]] == 1 and joined.outputs[0] != output and joined in found:
            found.remove(joined)
            bias = next(name for name in node.inputs if name != joined.outputs[0])
            found.append(replace(joined, inputs=(*joined.inputs, bias), outputs=node.outputs))
        else:
            found.append(node)
    return found


def _joined(node: Node, products: Mapping[str, Node], constants: Mapping[str, Constant]) -> Node | None:
    """The product to which a node adds a bias."""
    if node.operator != "Add" or len(node.inputs) != MATRIX:
        return None
    for one, other in (node.inputs, node.inputs[::-1]):
        if one in products and other in constants:
            product = products[one]
            weight, bias = constants.get(product.inputs[1]), constants[other]
            if weight is not None and weight.ndim == MATRIX and bias.shape == weight.shape[1:]:
                return product
    return None


def _with_ends(steps: Sequence[Step], output: str) -> tuple[Step, ...]:
    """The steps, each with the values that no later one needs."""
    later, found = {output}, []
    for step in reversed(steps):
        done = tuple({*step.inputs, *step.outputs} - later - {""})
        later.update(step.inputs)
        found.append(replace(step, done=done))
    return tuple(found[::-1])

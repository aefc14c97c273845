"""Rewriting: the operators that an output needs, with products and sums joined to linear layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.classifiers.onnx.graph import Constant, Node
from pipeline.errors import CaseError

MOST_NODES: Final = 20_000
"""DenseNet-264 has some 1,000 operators."""
MAKES: Final = ("value", "value_float", "value_int", "value_floats", "value_ints")
"""Attributes of the operator Constant."""
MATRIX: Final = 2


def needed_nodes(nodes: Sequence[Node], constants: Mapping[str, Constant], output: str) -> list[Node]:
    """The nodes that the output depends on, in their order; a product and the sum after it are one.

    Raises CaseError if they are too many.
    """
    wanted, found = {output}, []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            wanted.update(node.inputs)
            found.append(node)
    if len(found) > MOST_NODES:
        raise CaseError(
            "too_large", f"has {len(found):,} operators, wanted {MOST_NODES:,} or fewer; simplify it"
        )
    return _with_biases(found[::-1], constants, output)


def stated_constant(node: Node) -> Constant:
    """The value of the operator Constant."""
    value = next((node.attributes[name] for name in MAKES if name in node.attributes), None)
    if value is None:
        raise CaseError("unsupported", "has a constant that is a text or sparse; export it again")
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)


def _with_biases(nodes: Sequence[Node], constants: Mapping[str, Constant], output: str) -> list[Node]:
    """The nodes, in which a sum of a product by a matrix and a constant is the product with this bias."""
    uses = Counter(name for node in nodes for name in node.inputs)
    products = {
        node.outputs[0]: number
        for number, node in enumerate(nodes)
        if node.operator == "MatMul" and len(node.inputs) == MATRIX and len(node.outputs) == 1
        if uses[node.outputs[0]] == 1 and node.outputs[0] != output
    }
    found: list[Node | None] = list(nodes)
    for number, node in enumerate(nodes):
        for one, bias in (node.inputs, node.inputs[::-1]) if _is_sum(node) else ():
            before = products.get(one)
            if before is not None and _is_bias(bias, nodes[before], constants):
                joined = nodes[before]
                found[number] = replace(joined, inputs=(*joined.inputs, bias), outputs=node.outputs)
                found[before] = None
    return [node for node in found if node is not None]


def _is_sum(node: Node) -> bool:
    return node.operator == "Add" and len(node.inputs) == MATRIX


def _is_bias(bias: str, product: Node, constants: Mapping[str, Constant]) -> bool:
    """Whether a constant has one number per output of the product by a constant matrix."""
    weight, added = constants.get(product.inputs[1]), constants.get(bias)
    if weight is None or added is None or weight.ndim != MATRIX:
        return False
    return added.shape == weight.shape[1:] and added.dtype == weight.dtype == np.float32

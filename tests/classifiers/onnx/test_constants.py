"""Weights come as constants, as inputs, or as what operators make of constants; activations stay floating."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.opening import open_onnx
from pipeline.classifiers.onnx.reading import read_graph
from pipeline.classifiers.onnx.windows import Convolution
from pipeline.errors import CaseError
from tests.classifiers.onnx.writing import Shape, model, node

RANDOM = np.random.default_rng(3)
KERNEL = RANDOM.normal(size=(2, 1, 3, 3)).astype(np.float32)
FILTER = {"kernel": KERNEL}
IMAGES = torch.rand(2, 1, 5, 5, generator=torch.Generator().manual_seed(0))


def network(
    nodes: list[bytes], constants: dict[str, NDArray[Any]], inputs: dict[str, Shape] | None = None
) -> OnnxNetwork:
    """Of a convolution with the kernel "k", after the nodes that make it."""
    content = model(
        [*nodes, node("Conv", ["x", "k"], ["y"])],
        constants,
        inputs={"x": ("n", 1, 5, 5), **(inputs or {})},
        outputs={"y": None},
    )
    return OnnxNetwork(read_graph(content), output="y")


def filtered(kernel: NDArray[Any]) -> Tensor:
    return torch.conv2d(IMAGES, torch.from_numpy(kernel.astype(np.float32)))


MADE: dict[str, tuple[list[bytes], dict[str, NDArray[Any]], NDArray[Any]]] = {
    "initialiser": ([], {"k": KERNEL}, KERNEL),
    "constant": ([node("Constant", [], ["k"], value=KERNEL)], {}, KERNEL),
    "identity": ([node("Identity", ["kernel"], ["k"])], FILTER, KERNEL),
    "transposed": (
        [node("Transpose", ["last"], ["k"], perm=[3, 2, 0, 1])],
        {"last": np.ascontiguousarray(KERNEL.transpose(2, 3, 1, 0))},
        KERNEL,
    ),
    "scaled": (
        [node("Mul", ["kernel", "scale"], ["k"])],
        {**FILTER, "scale": np.array([[[[2.0]]], [[[-0.5]]]], np.float32)},
        KERNEL * np.array([2, -0.5]).reshape(2, 1, 1, 1),
    ),
    "joined": ([node("Concat", ["kernel", "kernel"], ["k"], axis=0)], FILTER, np.tile(KERNEL, (2, 1, 1, 1))),
    "repeated": (
        [node("Expand", ["one", "shape"], ["k"])],
        {"one": KERNEL[:1], "shape": np.array([3, 1, 3, 3], np.int64)},
        np.repeat(KERNEL[:1], 3, axis=0),
    ),
    "chosen": (
        [node("Greater", ["kernel", "zero"], ["t"]), node("Where", ["t", "kernel", "zero"], ["k"])],
        {**FILTER, "zero": np.array(0, np.float32)},
        np.maximum(KERNEL, 0),
    ),
    "whole numbers": (
        [node("DequantizeLinear", ["w", "scale", "zero"], ["k"], axis=0)],
        {
            "w": np.arange(-9, 9).reshape(2, 1, 3, 3).astype(np.int8),
            "scale": np.array([0.5, 0.25], np.float32),
            "zero": np.array([1, -2], np.int8),
        },
        (np.arange(-9, 9).reshape(2, 1, 3, 3) - np.array([1, -2]).reshape(2, 1, 1, 1))
        * np.array([0.5, 0.25]).reshape(2, 1, 1, 1),
    ),
    "one scale": (
        [node("DequantizeLinear", ["w", "scale"], ["k"])],
        {"w": np.arange(9).reshape(1, 1, 3, 3).astype(np.int8), "scale": np.array(0.125, np.float32)},
        np.arange(9).reshape(1, 1, 3, 3) / 8,
    ),
}
"""How weights are made, the constants, and the kernel by NumPy."""


@pytest.mark.parametrize(("nodes", "constants", "kernel"), MADE.values(), ids=MADE)
def test_weights_may_be_what_operators_make_of_constants(
    nodes: list[bytes], constants: dict[str, NDArray[Any]], kernel: NDArray[Any]
) -> None:
    found = network(nodes, constants)
    assert [type(one) for one in found.operators.values()] == [Convolution]
    torch.testing.assert_close(found(IMAGES), filtered(kernel))


def test_every_constant_may_be_listed_as_an_input_that_has_a_value() -> None:
    """As in files of IR version 3, and of functions whose weights are arguments."""
    found = network([node("Identity", ["kernel"], ["k"])], FILTER, {"kernel": (2, 1, 3, 3)})
    torch.testing.assert_close(found(IMAGES), filtered(KERNEL))


def test_an_input_without_a_value_is_named() -> None:
    content = model(
        [node("Conv", ["x", "k"], ["y"])],
        {},
        inputs={"x": ("n", 1, 5, 5), "k": (2, 1, 3, 3)},
        outputs={"y": None},
    )
    with pytest.raises(CaseError, match=r"has 2 inputs \(x, k\), wanted one image"):
        open_onnx(content, channels=1, shape=(5, 5), findings=2, activation="sigmoid")


def test_torchs_expand_of_a_shape_with_minus_one_is_followed() -> None:
    """`p.expand(x.shape[0], -1, -1)` as the exporter writes it: where the side is -1, it is 1."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "zeros"], ["u"]),
        node("Concat", ["u", "rest", "rest"], ["shape"], axis=0),
        node("ConstantOfShape", ["three"], ["ones"], value=np.ones(1, np.int64)),
        node("Mul", ["ones", "minus"], ["m"]),
        node("Equal", ["shape", "m"], ["t"]),
        node("Where", ["t", "ones", "shape"], ["sides"]),
        node("Expand", ["p", "sides"], ["e"]),
        node("ReduceSum", ["x", "axes"], ["r"], keepdims=0),
        node("Mul", ["e", "r"], ["y"]),
    ]
    constants = {
        "zero": np.array(0, np.int64), "zeros": np.array([0], np.int64), "rest": np.array([-1], np.int64),
        "three": np.array([3], np.int64), "minus": np.array(-1, np.int64), "axes": np.array([1], np.int64),
        "p": np.arange(5, dtype=np.float32).reshape(1, 1, 5),
    }  # fmt: skip
    content = model(nodes, constants, inputs={"x": ("n", 1, 5, 5)}, outputs={"y": None})
    found = OnnxNetwork(read_graph(content), output="y")(IMAGES)
    torch.testing.assert_close(found, torch.arange(5.0) * IMAGES[:, 0])


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([node("Expand", ["one", "huge"], ["e"]), node("Add", ["x", "e"], ["y"])], "operator Expand on"),
        ([node("ConstantOfShape", ["huge"], ["e"]), node("Add", ["x", "e"], ["y"])], "ConstantOfShape on"),
        ([node("Expand", ["half", "huge"], ["e"]), node("Add", ["x", "e"], ["y"])], "makes "),
    ],
)
def test_constants_that_would_fill_memory_are_not_made(nodes: list[bytes], found: str) -> None:
    constants = {
        "huge": np.array([2**20, 2**12, 1, 1], np.int64),
        "one": np.ones((1, 1, 1, 1), np.int64),
        "half": np.full((1, 1, 1, 1), 0.5, np.float32),
    }
    content = model(nodes, constants, inputs={"x": ("n", 1, 5, 5)}, outputs={"y": ("n", 2)})
    with pytest.raises(CaseError) as refused:
        open_onnx(content, channels=1, shape=(5, 5), findings=2, activation="sigmoid")
    assert found in refused.value.message


@pytest.mark.parametrize(
    ("constants", "stated"),
    [
        ({"scale": np.ones((1, 1, 1, 1), np.float32)}, {}),
        ({"scale": np.ones(2, np.float32)}, {"axis": 0, "block_size": 9}),
    ],
)
def test_weights_quantised_in_blocks_are_refused(
    constants: dict[str, NDArray[Any]], stated: dict[str, int]
) -> None:
    nodes = [node("DequantizeLinear", ["w", "scale"], ["k"], **stated)]
    with pytest.raises(CaseError, match="quantised in blocks; export it in float32"):
        network(nodes, {"w": np.ones((2, 1, 3, 3), np.int8), **constants})


def test_scalar_indices_of_images_are_followed_without_memory() -> None:
    """`x[:, 0]` is a Gather by a number."""
    nodes = [
        node("Gather", ["x", "one"], ["g"], axis=1),
        node("ReduceMean", ["g"], ["y"], axes=[1], keepdims=0),
    ]
    content = model(
        nodes, {"one": np.array(1, np.int64)}, inputs={"x": ("n", 3, 4, 2)}, outputs={"y": ("n", 2)}
    )
    opened, _ = open_onnx(content, channels=3, shape=(4, 2), findings=2, activation="sigmoid")
    batch = torch.rand(2, 3, 4, 2)
    torch.testing.assert_close(opened(batch), batch[:, 1].mean(dim=1))
